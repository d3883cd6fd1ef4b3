import { readFile, writeFile } from 'node:fs/promises';

import { expect, it } from 'vitest';

import { openAuditTrail, type AuditTrail } from '../src/index.ts';
import { intent, options, segmentFiles, temporaryDirectory } from './fixtures.ts';

async function record(trail: AuditTrail, correlationId: string): Promise<void> {
  const entry = await trail.begin(intent({ correlationId }));
  await entry.finish({ result: 'success', durationMs: 1 });
}

it('shows the last events, oldest first, and that they are linked', async () => {
  await using directory = await temporaryDirectory();
  await using trail = await openAuditTrail(options(directory.path));
  expect(await trail.recent(50)).toEqual({ events: [], chain: 'linked' });
  for (let call = 1; call <= 3; call += 1) {
    await record(trail, `call-${call}`);
  }
  const { events, chain } = await trail.recent(3);
  expect(chain).toBe('linked');
  expect(events.map(({ stage, correlationId }) => `${stage} ${correlationId}`)).toEqual([
    'outcome call-2',
    'intent call-3',
    'outcome call-3',
  ]);
  expect((await trail.recent(50)).events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
});

it('goes on in the segment before, also in one of an earlier process', async () => {
  await using directory = await temporaryDirectory();
  {
    await using trail = await openAuditTrail(options(directory.path));
    await record(trail, 'before');
  }
  await using trail = await openAuditTrail({ ...options(directory.path), segmentBytes: 64 * 1024 });
  await record(trail, 'after');
  const { events } = await trail.recent(50);
  expect(events.map(({ correlationId }) => correlationId)).toEqual(['before', 'before', 'after', 'after']);
});

it('reads no more than the end of a long segment', async () => {
  await using directory = await temporaryDirectory();
  await using trail = await openAuditTrail(options(directory.path));
  await Promise.all(Array.from({ length: 300 }, (_, call) => record(trail, `call-${call}`)));
  const { events, chain } = await trail.recent(1_000);
  expect(chain).toBe('linked');
  expect(events.length).toBeGreaterThan(100);
  expect(events.at(-1)?.sequence).toBe(600);
  expect(events[0]?.sequence).toBeGreaterThan(1);
});

it('says that an event was changed', async () => {
  await using directory = await temporaryDirectory();
  await using trail = await openAuditTrail(options(directory.path));
  await record(trail, 'call-1');
  await record(trail, 'call-2');
  const [file = ''] = await segmentFiles(directory.path);
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace('"correlationId":"call-1"', '"correlationId":"call-X"'),
  );
  const { events, chain } = await trail.recent(50);
  expect(chain).toBe('broken');
  expect(events).toHaveLength(3);
});

it('says that an event is missing', async () => {
  await using directory = await temporaryDirectory();
  await using trail = await openAuditTrail(options(directory.path));
  await record(trail, 'call-1');
  await record(trail, 'call-2');
  const [file = ''] = await segmentFiles(directory.path);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.split('\n').toSpliced(2, 1).join('\n'));
  expect((await trail.recent(50)).chain).toBe('broken');
});

it('takes a limit from 0 to 1000', async () => {
  await using directory = await temporaryDirectory();
  await using trail = await openAuditTrail(options(directory.path));
  await record(trail, 'call-1');
  expect((await trail.recent(0)).events).toEqual([]);
  await expect(trail.recent(1_001)).rejects.toThrow('limit must be a whole number from 0 to 1000, got 1001');
});
