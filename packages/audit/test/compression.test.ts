import { createPublicKey } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { withCompressedSegments } from '../src/disk/compressed-segments.ts';
import { nodeFileSystem } from '../src/disk/file-system.ts';
import { openAuditTrail, verifyTrail, type AuditEvent, type AuditSink } from '../src/index.ts';
import { segmentNumbers } from '../src/segments/segment-header.ts';
import { intent, options, storedEvents, temporaryDirectory } from './fixtures.ts';
import { memoryDisk } from './memory-disk.ts';

const success = { result: 'success', durationMs: 12 } as const;
const DAY_MS = 86_400_000;

function compressing(directory: string) {
  return { ...options(directory), compressSegments: true, segmentBytes: 16 * 1024 };
}

async function writeCalls(directory: string, count: number, given: object = {}): Promise<void> {
  await using trail = await openAuditTrail({ ...compressing(directory), ...given });
  for (let call = 0; call < count; call += 1) {
    await (await trail.begin(intent({ correlationId: crypto.randomUUID() }))).finish(success);
  }
}

async function namesOf(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith('000')).toSorted();
}

function memorySink(): AuditSink & { stored: AuditEvent[] } {
  const stored: AuditEvent[] = [];
  return { name: 'memory', stored, deliver: async (events) => void stored.push(...events) };
}

describe('a segment that is full', () => {
  it('costs less than 600 bytes per call, and is read, verified and gone on with as before', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 100);
    const names = await namesOf(directory.path);
    const closed = names.slice(0, -1);
    expect(closed.every((name) => name.endsWith('.jsonl.zst'))).toBe(true);
    const sizes = await Promise.all(
      closed.map(async (name) => (await stat(join(directory.path, name))).size),
    );
    const events = await storedEvents(directory.path);
    const calls = events.length / 2 / names.length;
    expect(Math.max(...sizes) / calls).toBeLessThan(600);

    await writeCalls(directory.path, 1);
    const publicKey = createPublicKey(await readFile(join(directory.path, 'signing-key.pub.pem')));
    const verified = await verifyTrail({ directory: directory.path, publicKey });
    expect(verified).toMatchObject({ isIntact: true, events: 202, firstSequence: 1 });
  });

  it('reaches a sink that comes later', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 60);
    const sink = memorySink();
    await using trail = await openAuditTrail({ ...compressing(directory.path), sinks: [sink] });
    await trail.flush();
    expect(sink.stored.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  });

  it('goes with a tombstone as another does', async () => {
    await using directory = await temporaryDirectory();
    const now = () => Date.now() - 40 * DAY_MS;
    await writeCalls(directory.path, 60, { now });
    await writeCalls(directory.path, 1);
    {
      await using _trail = await openAuditTrail({ ...compressing(directory.path), keepDays: 30 });
      await expect.poll(async () => (await namesOf(directory.path))[0]).not.toContain('0000000001');
    }
    expect(await verifyTrail({ directory: directory.path })).toMatchObject({ isIntact: true });
  });

  it('that was changed is a finding, and holds up nothing', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 60);
    const [first = ''] = await namesOf(directory.path);
    const bytes = await readFile(join(directory.path, first));
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
    await writeFile(join(directory.path, first), bytes);
    const { findings } = await verifyTrail({ directory: directory.path });
    expect(findings).toContainEqual(expect.objectContaining({ code: 'damaged_record', segment: 1 }));
    const sink = memorySink();
    await using trail = await openAuditTrail({ ...compressing(directory.path), sinks: [sink] });
    await trail.flush();
    expect(sink.stored.at(-1)?.sequence).toBeGreaterThanOrEqual(120);
  });

  it('is there whole, whenever the process ends while it is compressed', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 30, { compressSegments: false });
    const whole = memoryDisk();
    for (const name of await readdir(directory.path)) {
      const bytes = await readFile(join(directory.path, name));
      whole.files.set(join(directory.path, name), { bytes, durable: bytes });
    }
    await whole.syncDirectory(directory.path);
    const [first = ''] = await namesOf(directory.path);
    const path = join(directory.path, first);
    const content = whole.files.get(path)?.bytes ?? Buffer.alloc(0);
    let steps = 0;
    for (let isDone = false; !isDone; steps += 1) {
      const disk = whole.copy();
      await disk.syncDirectory(directory.path);
      let left = steps;
      const step = async <T>(work: () => Promise<T>): Promise<T> => {
        left -= 1;
        if (left < 0) {
          throw new Error('killed');
        }
        return work();
      };
      const dying = withCompressedSegments({
        ...disk,
        async open(name, mode) {
          const file = await step(() => disk.open(name, mode));
          const write = (bytes: Uint8Array, offset: number) => step(() => file.write(bytes, offset));
          return { ...file, write, datasync: () => step(() => file.datasync()) };
        },
        rename: (from, to) => step(() => disk.rename(from, to)),
        remove: (name) => step(() => disk.remove(name)),
        syncDirectory: (name) => step(() => disk.syncDirectory(name)),
      });
      isDone = await dying.compress(path, directory.path, content.length).then(
        () => true,
        () => false,
      );
      for (const random of [() => 0, () => 0.9]) {
        const left = withCompressedSegments(disk.afterPowerLoss(random));
        const numbers = segmentNumbers(await left.list(directory.path));
        const file = await left.open(path, 'read');
        expect(numbers).toContain(1);
        expect((await file.read(0, await file.size())).equals(content)).toBe(true);
        await withCompressedSegments(left).compress(path, directory.path, content.length);
      }
    }
    expect(steps).toBeGreaterThan(5);
  });

  it('stays as it is while it is the last, however often the trail is opened', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 1, { compressSegments: false });
    for (let run = 0; run < 3; run += 1) {
      await using trail = await openAuditTrail({ ...compressing(directory.path), sinks: [memorySink()] });
      await trail.flush();
      expect(trail.health().state).toBe('ok');
    }
    expect(await namesOf(directory.path)).toEqual(['0000000001.jsonl']);
    await writeCalls(directory.path, 1);
    await writeCalls(directory.path, 0);
    expect(await storedEvents(directory.path)).toHaveLength(4);
  });

  it('is gone on with although those after it are gone', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 60);
    for (const name of (await namesOf(directory.path)).slice(1)) {
      await rm(join(directory.path, name));
    }
    const kept = await storedEvents(directory.path);
    await writeCalls(directory.path, 1);
    await writeCalls(directory.path, 1);
    expect((await storedEvents(directory.path)).slice(0, kept.length)).toEqual(kept);
    expect((await verifyTrail({ directory: directory.path })).isIntact).toBe(true);
  });

  it('is never replaced by less than it should hold', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 1, { compressSegments: false });
    const path = join(directory.path, '0000000001.jsonl');
    const { size } = await stat(path);
    const fileSystem = withCompressedSegments(nodeFileSystem);
    await expect(fileSystem.compress(path, directory.path, size + 1)).rejects.toThrow('should have');
    expect((await stat(path)).size).toBe(size);
  });

  it('may be left as it is', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 60, { compressSegments: false });
    expect((await namesOf(directory.path)).every((name) => name.endsWith('.jsonl'))).toBe(true);
  });

  it('is not written to', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls(directory.path, 30);
    const file = await withCompressedSegments(nodeFileSystem).open(
      join(directory.path, '0000000001.jsonl'),
      'read',
    );
    await expect(file.write(Buffer.alloc(1), 0)).rejects.toThrow('not written to');
  });
});
