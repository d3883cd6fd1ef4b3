import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createCheckpoint } from '../src/chain/checkpoint.ts';
import { encodeRecord, GENESIS, scanLines } from '../src/chain/record.ts';
import type { TextSigner } from '../src/chain/signer.ts';
import { loadKeys } from '../src/chain/signing.ts';
import { nodeFileSystem } from '../src/disk/file-system.ts';
import { openAuditTrail, verifyTrail, type AuditFileSystem } from '../src/index.ts';
import { silentLogger } from '../src/logger.ts';
import { faultyFileSystem } from './faulty-file-system.ts';
import {
  intent,
  options,
  segmentFiles,
  storedEvents,
  temporaryDirectory,
  PRIVATE_FILE_MODE,
} from './fixtures.ts';
import { manualTimers } from './manual-timers.ts';
import { eventsOn, memoryDisk, segmentsOn } from './memory-disk.ts';

const success = { result: 'success', durationMs: 12 } as const;

async function writeCalls(
  directory: string,
  count: number,
  fileSystem: AuditFileSystem = nodeFileSystem,
): Promise<void> {
  await using trail = await openAuditTrail({ ...options(directory), fileSystem });
  for (let index = 0; index < count; index += 1) {
    await (await trail.begin(intent({ correlationId: `call-${index}` }))).finish(success);
  }
}

describe('recording', () => {
  it('stores an intent and an outcome that repeats it', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail({ ...options(directory.path), now: () => 1_800_000_000_000 });
    const entry = await trail.begin(intent());
    await entry.finish({ result: 'failure', reason: 'upstream_timeout', durationMs: 7 });

    const [first, second] = await storedEvents(directory.path);
    const { arguments: _, ...repeated } = intent();
    const server = { name: 'test-server', version: '1.2.3' };
    const time = '2027-01-15T08:00:00.000Z';
    expect(first).toMatchObject({
      ...intent(),
      stage: 'intent',
      schemaVersion: 1,
      sequence: 1,
      server,
      time,
    });
    expect(second).toMatchObject({
      ...repeated,
      stage: 'outcome',
      sequence: 2,
      intentId: entry.id,
      result: 'failure',
      reason: 'upstream_timeout',
      durationMs: 7,
    });
    expect(second).not.toHaveProperty('arguments');
  });

  it('keeps its files private', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 1);
    const [segment = ''] = await segmentFiles(directory.path);
    const modes = [segment, join(directory.path, 'lock.db')].map(
      async (path) => (await stat(path)).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([PRIVATE_FILE_MODE, PRIVATE_FILE_MODE]);
  });

  it('takes a snapshot when begin() is called', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail(options(directory.path));
    const mutable = { ...intent(), target: 'get_status' };
    const begun = trail.begin(mutable);
    mutable.target = 'changed';
    await (await begun).finish(success);
    expect((await storedEvents(directory.path)).map((event) => event.target)).toEqual([
      'get_status',
      'get_status',
    ]);
  });

  it('commits 64 concurrent intents with far fewer syncs', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = faultyFileSystem();
    await using trail = await openAuditTrail({ ...options(directory.path), fileSystem });
    await Promise.all(Array.from({ length: 64 }, () => trail.begin(intent())));
    expect([1, 2]).toContain(fileSystem.segmentSyncs);
    expect(await storedEvents(directory.path)).toHaveLength(64);
  });

  it('starts a new segment when one is full and reads the chain across them', async () => {
    await using directory = await temporaryDirectory();
    {
      await using trail = await openAuditTrail({ ...options(directory.path), segmentBytes: 2000 });
      for (let index = 0; index < 10; index += 1) {
        await (await trail.begin(intent())).finish(success);
      }
    }
    expect((await segmentFiles(directory.path)).length).toBeGreaterThan(3);
    await writeCalls(directory.path, 1);
    const sequences = (await storedEvents(directory.path)).map((event) => event.sequence);
    expect(sequences).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
  });

  it('refuses a second finish() and anything after close()', async () => {
    await using directory = await temporaryDirectory();
    const trail = await openAuditTrail(options(directory.path));
    const entry = await trail.begin(intent());
    await entry.finish(success);
    await expect(entry.finish(success)).rejects.toMatchObject({ code: 'already_finished' });
    await trail.close();
    await expect(trail.begin(intent())).rejects.toMatchObject({ code: 'closed' });
    expect(trail.health().state).toBe('unavailable');
  });
});

describe('failed writes', () => {
  it('never acknowledges an event whose fsync failed, and goes on in a new segment', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = faultyFileSystem();
    {
      await using trail = await openAuditTrail({ ...options(directory.path), fileSystem });
      await trail.begin(intent({ correlationId: 'before' }));
      fileSystem.failNextSync = true;
      const refused = await Promise.allSettled([trail.begin(intent()), trail.begin(intent())]);
      expect(refused).toMatchObject([
        { status: 'rejected', reason: { code: 'unavailable' } },
        { status: 'rejected', reason: { code: 'unavailable' } },
      ]);
      expect(trail.health()).toMatchObject({ state: 'unavailable', lastError: { code: 'unavailable' } });
      await trail.begin(intent({ correlationId: 'after' }));
      expect(trail.health().state).toBe('ok');
    }
    expect(fileSystem.syncsAfterFailure).toBe(0);
    expect(await segmentFiles(directory.path)).toHaveLength(2);
    expect((await storedEvents(directory.path)).map((event) => event.correlationId)).toEqual([
      'before',
      'after',
    ]);
  });

  it('is available again, without a call, once the disk has room', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = faultyFileSystem();
    const timers = manualTimers();
    await using trail = await openAuditTrail({ ...options(directory.path), ...timers, fileSystem });
    fileSystem.isFull = true;
    await expect(trail.begin(intent())).rejects.toMatchObject({ code: 'unavailable' });
    timers.fire();
    // The probe failed when it has set its timer again.
    await expect.poll(() => timers.delays).toContain(1000);
    expect(trail.health().state).toBe('unavailable');
    fileSystem.isFull = false;
    timers.fire();
    await expect.poll(() => trail.health().state).toBe('ok');
    expect(
      (await readdir(directory.path)).filter((name) => !/^(lock|place|signing|reserve)/.test(name)),
    ).toEqual([]);
  });

  it('takes back a half-written group', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = faultyFileSystem();
    await using trail = await openAuditTrail({ ...options(directory.path), fileSystem });
    const entry = await trail.begin(intent());
    fileSystem.failNextWrite = true;
    await expect(entry.finish(success)).rejects.toMatchObject({ code: 'unavailable' });
    await entry.finish(success);
    expect((await storedEvents(directory.path)).map((event) => event.stage)).toEqual(['intent', 'outcome']);
  });

  it('sets refused records aside that could not be taken back', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = faultyFileSystem();
    {
      await using trail = await openAuditTrail({ ...options(directory.path), fileSystem });
      await (await trail.begin(intent({ correlationId: 'before' }))).finish(success);
      fileSystem.failNextSync = true;
      fileSystem.failTruncate = true;
      await expect(trail.begin(intent({ correlationId: 'refused' }))).rejects.toMatchObject({
        code: 'unavailable',
      });
      await (await trail.begin(intent({ correlationId: 'after' }))).finish(success);
    }
    await writeCalls(directory.path, 1);
    const kept = (await storedEvents(directory.path)).map((event) => event.correlationId);
    expect(kept).toEqual(['before', 'before', 'after', 'after', 'call-0', 'call-0']);
    const [first = ''] = await segmentFiles(directory.path);
    expect(await readFile(`${first}.torn`, 'utf8')).toContain('refused');
  });
});

describe('recovery', () => {
  it('gives an intent without outcome the outcome unknown', async () => {
    await using directory = await temporaryDirectory();
    let id = '';
    {
      await using trail = await openAuditTrail(options(directory.path));
      ({ id } = await trail.begin(intent({ correlationId: 'interrupted' })));
      await (await trail.begin(intent({ correlationId: 'complete' }))).finish(success);
    }
    await writeCalls(directory.path, 0);
    await writeCalls(directory.path, 0);
    const events = await storedEvents(directory.path);
    expect(events).toHaveLength(4);
    expect(events[3]).toMatchObject({
      stage: 'outcome',
      intentId: id,
      correlationId: 'interrupted',
      actor: intent().actor,
      result: 'unknown',
      reason: 'interrupted',
    });
  });

  it('cuts a record torn at any byte and keeps the bytes', { timeout: 30_000 }, async () => {
    await using directory = await temporaryDirectory();
    const written = memoryDisk();
    await writeCalls(directory.path, 2, written);
    const [[path, content] = ['', undefined]] = segmentsOn(written, directory.path);
    const whole = Buffer.from(content?.bytes ?? '');
    // As a crash leaves it: without the checkpoint that close() writes.
    const bytes = whole.subarray(0, whole.lastIndexOf(0x0a, whole.length - 2) + 1);
    const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    for (let size = lastLine; size < bytes.length; size += 1) {
      const disk = written.copy();
      disk.files.set(path, { bytes: bytes.subarray(0, size), durable: bytes.subarray(0, size) });
      await writeCalls(directory.path, 0, disk);
      const events = eventsOn(disk, directory.path);
      expect(events.map((event) => event.sequence)).toEqual([1, 2, 3, 4]);
      // The torn record was the outcome of the third one.
      expect(events[3]).toMatchObject({ result: 'unknown', intentId: events[2]?.id });
      const torn = disk.files.get(`${path}.torn`)?.bytes ?? Buffer.alloc(0);
      expect(torn.equals(bytes.subarray(lastLine, size))).toBe(true);
    }
  });

  it(
    'cuts a last commit of which the disk kept any part, and takes that for no damage',
    { timeout: 60_000 },
    async () => {
      await using directory = await temporaryDirectory();
      const written = memoryDisk();
      const trail = await openAuditTrail({ ...options(directory.path), fileSystem: written });
      await (await trail.begin(intent({ correlationId: 'before' }))).finish(success);
      const [[path, content] = ['', undefined]] = segmentsOn(written, directory.path);
      const acknowledged = content?.bytes.length ?? 0;
      await Promise.all(Array.from({ length: 12 }, () => trail.begin(intent({ correlationId: 'group' }))));
      const whole = Buffer.from(content?.bytes ?? '');
      await trail.close();
      const sectors = Math.ceil(whole.length / 512);
      for (let from = Math.floor(acknowledged / 512); from < sectors; from += 1) {
        for (let to = from + 1; to <= sectors; to += 2) {
          const bytes = Buffer.from(whole);
          bytes.fill(0, Math.max(acknowledged, from * 512), Math.min(to * 512, bytes.length));
          const disk = written.copy();
          disk.files.set(path, { bytes, durable: bytes });
          const verified = await verifyTrail({ directory: directory.path, fileSystem: disk });
          expect([from, to, verified.findings]).toEqual([from, to, []]);
          expect(verified.tornBytes).toBeGreaterThan(0);
          const errors: string[] = [];
          const error = (_: object, message: string): void => void errors.push(message);
          const logger = { ...silentLogger, error };
          const again = await openAuditTrail({ ...options(directory.path), fileSystem: disk, logger });
          expect([again.health().state, errors]).toEqual(['ok', []]);
          await again.close();
          const kept = eventsOn(disk, directory.path).map(({ correlationId }) => correlationId);
          expect(kept.slice(0, 2)).toEqual(['before', 'before']);
        }
      }
    },
  );

  it('takes a hole before the last commit for the damage it is', async () => {
    await using directory = await temporaryDirectory();
    const written = memoryDisk();
    const trail = await openAuditTrail({ ...options(directory.path), fileSystem: written });
    for (let group = 0; group < 3; group += 1) {
      await Promise.all(Array.from({ length: 12 }, () => trail.begin(intent())));
    }
    const [[path, content] = ['', undefined]] = segmentsOn(written, directory.path);
    const bytes = Buffer.from(content?.bytes ?? '');
    await trail.close();
    const marks = [...scanLines(bytes)].filter(({ record }) => record?.groupBytes !== undefined);
    const start = Math.ceil((marks[0]?.endOffset ?? 0) / 512) * 512;
    bytes.fill(0, start, start + 512);
    const disk = written.copy();
    disk.files.set(path, { bytes, durable: bytes });
    const { findings } = await verifyTrail({ directory: directory.path, fileSystem: disk });
    expect(findings[0]?.code).toBe('damaged_record');
    await using again = await openAuditTrail({ ...options(directory.path), fileSystem: disk });
    expect(again.health().lastError?.code).toBe('damaged');
  });

  it('reads trails of before commits said how long they are', async () => {
    await using directory = await temporaryDirectory();
    const disk = memoryDisk();
    await writeCalls(directory.path, 3, disk);
    const { signer } = await loadKeys(directory.path, disk);
    for (const [, content] of segmentsOn(disk, directory.path)) {
      content.bytes = await unframed(content.bytes, signer);
    }
    await writeCalls(directory.path, 2, disk);
    const { findings, events } = await verifyTrail({ directory: directory.path, fileSystem: disk });
    expect([findings, events]).toEqual([[], 10]);
  });

  it('cuts garbage after the last record', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 1);
    const [segment = ''] = await segmentFiles(directory.path);
    await appendFile(segment, Buffer.alloc(512));
    await writeCalls(directory.path, 1);
    expect(await storedEvents(directory.path)).toHaveLength(4);
  });
});

/** The records as they were before commits said how long they are, and chains were signed at their beginning. */
async function unframed(bytes: Buffer, signer: TextSigner): Promise<Buffer> {
  let tip = GENESIS;
  const lines: string[] = [];
  for (const { record } of scanLines(bytes)) {
    if (record === undefined) {
      continue;
    }
    const {
      isFramed: _,
      origin: _origin,
      cadence: _cadence,
      chainStart: _start,
      ...header
    } = JSON.parse(record.payload.toString('utf8'));
    const { signal } = new AbortController();
    const payload =
      record.kind === 'checkpoint'
        ? await createCheckpoint(signer, header.writerId, tip, { time: Date.now(), signal })
        : header;
    const { line, tip: next } = encodeRecord(tip, record.kind, JSON.stringify(payload));
    lines.push(line);
    tip = next;
  }
  return Buffer.from(lines.join(''));
}
