import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createCollectorSink, openAuditTrail, verifyTrail, type AuditTrailOptions } from '../src/index.ts';
import { Collector } from './collector.ts';
import { intent, options, segmentFiles, storedEvents, temporaryDirectory } from './fixtures.ts';
import { memoryDisk, segmentsOn } from './memory-disk.ts';

const success = { result: 'success', durationMs: 12 } as const;

async function writeCalls(settings: AuditTrailOptions, count: number): Promise<void> {
  await using trail = await openAuditTrail(settings);
  for (let index = 0; index < count; index += 1) {
    await (await trail.begin(intent({ correlationId: `call-${index}` }))).finish(success);
  }
}

async function changeText(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to));
}

async function publicKey(directory: string): Promise<KeyObject> {
  return createPublicKey(await readFile(join(directory, 'signing-key.pub.pem')));
}

describe('a damaged trail', () => {
  it.each(['the last segment', 'the one before it'])(
    'does not stop the start, begins a new chain and raises an alert: %s',
    async (which) => {
      await using directory = await temporaryDirectory();
      await using collector = await Collector.start();
      await writeCalls(options(directory.path), 2);
      await writeCalls(options(directory.path), 1);
      const files = await segmentFiles(directory.path);
      const path = files.at(which === 'the last segment' ? -1 : -2) ?? '';
      await changeText(path, '"result":"success"', '"result":"failure"');
      const before = await readFile(path);

      const sinks = [createCollectorSink({ url: collector.url })];
      {
        await using trail = await openAuditTrail({ ...options(directory.path), sinks });
        expect(trail.health()).toMatchObject({ state: 'degraded', lastError: { code: 'damaged' } });
        await (await trail.begin(intent({ correlationId: 'after' }))).finish(success);
        await trail.flush();
      }
      expect(await readFile(path)).toEqual(before);
      const actions = collector.stored.map((event) => event.action);
      expect(actions).toContain('audit/damaged');
      // Only the changed event is missing, and its number says so. The intent that it closed gets another outcome.
      const sequences = collector.stored.map((event) => event.sequence);
      const missing = which === 'the last segment' ? 6 : 2;
      expect(sequences).toEqual(
        Array.from({ length: 11 }, (_, index) => index + 1).filter((sequence) => sequence !== missing),
      );
      expect(collector.stored.at(-1)?.correlationId).toBe('after');

      await using again = await openAuditTrail(options(directory.path));
      expect(again.health().state).toBe('ok');
      const verified = await verifyTrail({ directory: directory.path });
      expect(verified.findings.map(({ code }) => code)).toEqual(['damaged_record', 'broken_chain']);
    },
  );

  it('is noticed when its end was cut off after it was delivered', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await writeCalls({ ...options(directory.path), sinks }, 2);
    const [path = ''] = await segmentFiles(directory.path);
    const bytes = await readFile(path);
    await truncate(path, bytes.indexOf(0x0a, bytes.indexOf('"sequence":2')) + 1);

    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    expect(trail.health()).toMatchObject({ lastError: { code: 'damaged' } });
    await trail.flush();
    expect(collector.stored.map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is noticed when all of its segments are gone', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await writeCalls({ ...options(directory.path), sinks }, 1);
    for (const path of await segmentFiles(directory.path)) {
      await rm(path);
    }
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    expect(trail.health()).toMatchObject({ lastError: { code: 'damaged' } });
    await trail.flush();
    expect(collector.stored.map((event) => event.sequence)).toEqual([1, 2, 3, 4]);
  });

  it('holds back no event behind a bad record in an old segment', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    for (let run = 0; run < 4; run += 1) {
      await writeCalls(options(directory.path), 1);
    }
    const [path = ''] = await segmentFiles(directory.path);
    await changeText(path, '"result":"success"', '"result":"failure"');
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    await trail.flush();
    expect(trail.health()).toMatchObject({ lastError: { code: 'damaged' } });
    expect(collector.stored.map((event) => event.sequence).slice(0, 7)).toEqual([1, 3, 4, 5, 6, 7, 8]);
    await expect.poll(() => collector.stored.at(-1)?.action).toBe('audit/damaged');
  });
});

describe('a start', () => {
  it('reads the last two segments only, and closes intents that are older', async () => {
    await using directory = await temporaryDirectory();
    let id = '';
    {
      await using trail = await openAuditTrail({ ...options(directory.path), segmentBytes: 4000 });
      ({ id } = await trail.begin(intent({ correlationId: 'old' })));
      for (let index = 0; index < 20; index += 1) {
        await (await trail.begin(intent())).finish(success);
      }
    }
    const files = await segmentFiles(directory.path);
    expect(files.length).toBeGreaterThan(4);
    // What is not read is not missed.
    await changeText(files[1] ?? '', '"result":"success"', '"result":"failure"');
    {
      await using trail = await openAuditTrail(options(directory.path));
      expect(trail.health().state).toBe('ok');
    }
    const last = (await storedEvents(directory.path)).at(-1);
    expect(last).toMatchObject({ intentId: id, correlationId: 'old', reason: 'interrupted' });
  });
});

describe('checkpoints', () => {
  it('follow the configured number of events, every segment and the end, and reach the collector', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await writeCalls({ ...options(directory.path), sinks, checkpointEvents: 4 }, 5);
    expect(collector.checkpoints.map(({ sequence }) => sequence)).toEqual([4, 8, 10]);
    expect(collector.stored.map((event) => event.sequence)).toHaveLength(10);
    const verified = await verifyTrail({
      directory: directory.path,
      publicKey: await publicKey(directory.path),
      ...(collector.checkpoints[2] && { anchor: collector.checkpoints[2] }),
    });
    expect(verified).toMatchObject({ isIntact: true, events: 10, checkpoints: 3, unsignedEvents: 0 });
  });

  it('are signed with the given key, and no other verifies them', async () => {
    await using directory = await temporaryDirectory();
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await writeCalls({ ...options(directory.path), signingKey: privateKey }, 1);
    expect(await readdir(directory.path)).not.toContain('signing-key.pem');
    const check = (publicKey: KeyObject) => verifyTrail({ directory: directory.path, publicKey });
    expect(await check(publicKey)).toMatchObject({ isIntact: true, checkpoints: 1 });
    const other = await check(generateKeyPairSync('ed25519').publicKey);
    expect(other.findings).toMatchObject([
      { code: 'bad_signature', segment: 1, afterSequence: 0 },
      { code: 'bad_signature', segment: 1, afterSequence: 2 },
      { code: 'unsigned' },
    ]);
  });

  it('show an end that was cut off to whoever has a later one', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await writeCalls({ ...options(directory.path), sinks }, 1);
    await writeCalls({ ...options(directory.path), sinks }, 1);
    await rm((await segmentFiles(directory.path)).at(-1) ?? '');
    const anchor = collector.checkpoints.at(-1);
    const cursor = join(directory.path, 'cursor-collector.json');
    expect((await verifyTrail({ directory: directory.path })).findings).toMatchObject([
      { code: 'not_delivered' },
    ]);
    await rm(cursor);
    expect(await verifyTrail({ directory: directory.path })).toMatchObject({ isIntact: true });
    const verified = await verifyTrail({ directory: directory.path, ...(anchor && { anchor }) });
    expect(verified.findings).toMatchObject([{ code: 'missing_end' }]);
  });

  it('refuses a key that cannot sign', async () => {
    await using directory = await temporaryDirectory();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const opened = openAuditTrail({ ...options(directory.path), signingKey: privateKey });
    await expect(opened).rejects.toThrow(TypeError);
  });
});

describe('verifyTrail', () => {
  it('finds every changed byte of a closed segment', { timeout: 60_000 }, async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = memoryDisk();
    await writeCalls({ ...options(directory.path), fileSystem }, 2);
    await writeCalls({ ...options(directory.path), fileSystem }, 1);
    const closed = segmentsOn(fileSystem, directory.path)[0]?.[1];
    const bytes = Buffer.from(closed?.bytes ?? '');
    const unnoticed: number[] = [];
    for (let index = 0; index < bytes.length; index += 1) {
      for (const mask of [1 << (index % 8), 0xff, 0x20]) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(index) ^ mask, index);
        if (closed) {
          closed.bytes = changed;
        }
        const { isIntact } = await verifyTrail({ directory: directory.path, fileSystem });
        if (isIntact) {
          unnoticed.push(index);
        }
      }
    }
    expect(unnoticed).toEqual([]);
  });

  it('names the first broken record', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(options(directory.path), 3);
    const [path = ''] = await segmentFiles(directory.path);
    const lines = (await readFile(path, 'utf8')).split('\n');
    await writeFile(path, lines.toSpliced(3, 1).join('\n'));
    const offset = lines.slice(0, 3).join('\n').length + 1;
    expect((await verifyTrail({ directory: directory.path })).findings).toEqual([
      { code: 'broken_link', segment: 1, line: 4, offset, afterSequence: 2 },
    ]);
  });

  it('misses segments that were removed without a tombstone', async () => {
    await using directory = await temporaryDirectory();
    for (let run = 0; run < 3; run += 1) {
      await writeCalls(options(directory.path), 1);
    }
    const [first = '', second = ''] = await segmentFiles(directory.path);
    await rm(second);
    expect((await verifyTrail({ directory: directory.path })).findings[0]?.code).toBe('broken_link');
    await rm(first);
    expect((await verifyTrail({ directory: directory.path })).findings[0]?.code).toBe('missing_segments');
  });
});
