import { describe, expect, it } from 'vitest';

import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encode.ts';
import { GroupCommit, type WaitingEvent } from './commit-group.ts';

function event(id: string): EncodedEvent {
  return { id, time: 0, body: '{}', deliverAtOnce: false, intentId: undefined };
}

const idsOf = (group: readonly WaitingEvent[]): string[] => group.map((waiting) => waiting.event.id);

describe('a group commit', () => {
  it('takes together what was appended together, and then what came meanwhile', async () => {
    const groups: string[][] = [];
    const free = Promise.withResolvers<void>();
    const commits = new GroupCommit(async (group) => {
      groups.push(idsOf(group));
      await free.promise;
      for (const { resolve } of group) {
        resolve();
      }
    });
    const first = [commits.append(event('a')), commits.append(event('b'))];
    await expect.poll(() => groups).toEqual([['a', 'b']]);
    const later = ['c', 'd', 'e'].map((id) => commits.append(event(id)));
    expect(commits.isWaiting).toBe(true);
    free.resolve();
    await Promise.all([...first, ...later]);
    expect(groups).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    await commits.finished();
    expect(commits.isWaiting).toBe(false);
  });

  it('waits for no event when one is asked for', async () => {
    const groups: string[][] = [];
    const commits = new GroupCommit(async (group) => void groups.push(idsOf(group)));
    commits.request();
    await commits.finished();
    expect(groups).toEqual([[]]);
  });

  it('repeats first what was put back, in its order', async () => {
    const groups: string[][] = [];
    const commits: GroupCommit = new GroupCommit(async (group) => {
      groups.push(idsOf(group));
      if (groups.length === 1) {
        const late = commits.append(event('late'));
        commits.putBack(group);
        void late;
        return;
      }
      for (const { resolve } of group) {
        resolve();
      }
    });
    await Promise.all([commits.append(event('a')), commits.append(event('b'))]);
    expect(groups).toEqual([
      ['a', 'b'],
      ['a', 'b', 'late'],
    ]);
  });

  it('rejects each event whose group was not committed', async () => {
    const error = new AuditError('unavailable', 'no');
    const commits = new GroupCommit(async (group) => {
      for (const { reject } of group) {
        reject(error);
      }
    });
    const refused = await Promise.allSettled([commits.append(event('a')), commits.append(event('b'))]);
    expect(refused).toMatchObject([{ reason: error }, { reason: error }]);
  });
});
