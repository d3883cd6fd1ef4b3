import { describe, expect, it } from 'vitest';

import { createFetchExchange } from '../app/fetch-exchange.ts';
import { createSessionStreams, type EventBudget } from './session-streams.ts';

const KIB = 1024;
const answer = 'x'.repeat(60 * KIB);
const exchange = () => createFetchExchange(new Request('http://127.0.0.1/mcp'), {}).exchange;

describe('what sessions keep for clients that lose a stream', () => {
  it('is 256 KiB of each, and no more than the budget of all', () => {
    const budget: EventBudget = { used: 0, max: 300 * KIB };
    const sessions = [createSessionStreams(budget, () => 0), createSessionStreams(budget, () => 0)];
    for (const [index, streams] of sessions.entries()) {
      for (let count = 0; count < 130; count += 1) {
        const opened = streams.openAnswer(exchange(), false);
        opened.send(answer);
        opened.end();
      }
      expect(budget.used).toBeLessThanOrEqual(index === 0 ? 256 * KIB : 300 * KIB);
    }
    expect(budget.used).toBeGreaterThan(200 * KIB);
    sessions.forEach((streams) => streams.close());
    expect(budget.used).toBe(0);
  });

  it('is forgotten a minute after the answer', () => {
    const budget: EventBudget = { used: 0, max: 300 * KIB };
    const streams = createSessionStreams(budget, () => 0);
    const opened = streams.openAnswer(exchange(), false);
    opened.send(answer);
    streams.sweep(60_001);
    expect(budget.used).toBe(answer.length);
    opened.end();
    streams.sweep(60_001);
    expect(budget.used).toBe(0);
  });

  it('can be asked for by the id of every event of every session', async () => {
    for (let session = 0; session < 200; session += 1) {
      const streams = createSessionStreams({ used: 0, max: 300 * KIB }, () => 0);
      const { exchange: lost, response } = createFetchExchange(new Request('http://127.0.0.1/mcp'), {});
      const opened = streams.openAnswer(lost, true);
      opened.send('one');
      opened.end();
      // oxlint-disable-next-line no-await-in-loop -- One session after the other.
      const ids = [...(await (await response).text()).matchAll(/^id: (?<id>.+)$/gmu)].map(
        ([, id]) => id ?? '',
      );
      expect(ids).toHaveLength(2);
      expect(ids.filter((id) => streams.resume(exchange(), id) === undefined)).toEqual([]);
    }
  });

  it('are not given out for what is no id of theirs', async () => {
    const streams = createSessionStreams({ used: 0, max: 300 * KIB }, () => 0);
    const { exchange: lost, response } = createFetchExchange(new Request('http://127.0.0.1/mcp'), {});
    const opened = streams.openAnswer(lost, false);
    opened.send('one');
    opened.end();
    const text = await (await response).text();
    const [, owner = ''] = /^id: (?<owner>[^_]+)_1_1$/mu.exec(text) ?? [];
    expect(streams.resume(exchange(), `${owner}_1_1`)).toBeDefined();
    const others = [
      '',
      '_1_1',
      'x_1_1',
      owner,
      `${owner}_1`,
      `${owner}__1`,
      `${owner}_2_1`,
      `${owner}_1_1_1`,
    ];
    const numbers = ['', '0', '-1', '1.0', '01', '1e0', ' 1', 'NaN', '1e309', '2'];
    const ids = [...others, ...numbers.map((number) => `${owner}_1_${number}`)];
    expect(ids.filter((id) => streams.resume(exchange(), id) !== undefined)).toEqual([]);
  });
});
