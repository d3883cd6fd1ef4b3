import { createPublicKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { nodeFileSystem } from '../src/disk/file-system.ts';
import {
  AuditError,
  createCollectorSink,
  openAuditTrail,
  verifyTrail,
  type AuditEvent,
  type AuditSink,
} from '../src/index.ts';
import { findRetired } from '../src/segments/retention.ts';
import { Collector } from './collector.ts';
import { faultyFileSystem } from './faulty-file-system.ts';
import { intent, options, segmentFiles, storedEvents, temporaryDirectory } from './fixtures.ts';
import { manualTimers } from './manual-timers.ts';

const success = { result: 'success', durationMs: 12 } as const;
const DAY_MS = 86_400_000;

function memorySink(takes: (events: readonly AuditEvent[]) => void = () => {}): AuditSink & {
  stored: AuditEvent[];
} {
  const stored: AuditEvent[] = [];
  return {
    name: 'memory',
    stored,
    async deliver(events) {
      takes(events);
      stored.push(...events);
    },
  };
}

describe('a full disk', () => {
  it('takes the outcomes of running calls from the reserve, refuses new ones, and recovers', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = faultyFileSystem();
    const timers = manualTimers();
    await using trail = await openAuditTrail({ ...options(directory.path), ...timers, fileSystem });
    const running = await trail.begin(intent({ correlationId: 'running' }));
    fileSystem.fillUntilReserveIsReleased();
    const [refused, finished] = await Promise.allSettled([trail.begin(intent()), running.finish(success)]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    expect(finished.status).toBe('fulfilled');
    await expect(trail.begin(intent())).rejects.toMatchObject({ code: 'unavailable' });
    expect(trail.health().state).toBe('unavailable');
    expect(await readdir(directory.path)).not.toContain('reserve');

    fileSystem.isFull = false;
    timers.fire();
    await expect.poll(() => trail.health().state).toBe('ok');
    expect(await readdir(directory.path)).toContain('reserve');
    await (await trail.begin(intent({ correlationId: 'after' }))).finish(success);
    const kept = (await storedEvents(directory.path)).map((event) => event.correlationId);
    expect(kept).toEqual(['running', 'running', 'after', 'after']);
  });

  it('is announced before it happens', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = { ...faultyFileSystem(), freeBytes: () => Promise.resolve(1000) };
    const settings = { ...options(directory.path), fileSystem, minFreeBytes: 1001 };
    await using trail = await openAuditTrail(settings);
    await expect
      .poll(() => trail.health())
      .toMatchObject({
        state: 'degraded',
        lastError: { code: 'disk_low' },
      });
    await trail.begin(intent());
  });
});

describe('retention', () => {
  async function runs(
    directory: string,
    sinks: readonly AuditSink[],
    { count, daysAgo = 0 }: { count: number; daysAgo?: number },
  ): Promise<void> {
    const now = () => Date.now() - daysAgo * DAY_MS;
    for (let run = 0; run < count; run += 1) {
      await using trail = await openAuditTrail({ ...options(directory), sinks, now });
      await (await trail.begin(intent())).finish(success);
    }
  }

  it('removes old delivered segments and leaves a tombstone that links the rest', async () => {
    await using directory = await temporaryDirectory();
    const sinks = [memorySink()];
    // The last one tells that it is later now.
    await runs(directory.path, sinks, { count: 3, daysAgo: 31 });
    await runs(directory.path, sinks, { count: 1 });
    {
      await using trail = await openAuditTrail({ ...options(directory.path), sinks, keepDays: 30 });
      await expect.poll(() => segmentFiles(directory.path)).toHaveLength(3);
      await (await trail.begin(intent())).finish(success);
    }
    const publicKey = createPublicKey(await readFile(join(directory.path, 'signing-key.pub.pem')));
    expect(await verifyTrail({ directory: directory.path, publicKey })).toMatchObject({
      isIntact: true,
      firstSequence: 5,
      lastSequence: 10,
    });
    await runs(directory.path, sinks, { count: 1 });
    expect(sinks[0]?.stored.map((event) => event.sequence)).toHaveLength(12);
  });

  it('keeps what is young, what a sink does not have, what a running call opened, and the last one', async () => {
    await using directory = await temporaryDirectory();
    await runs(directory.path, [], { count: 4 });
    const segments = [1, 2, 3, 4].map((number) => ({ number }));
    const retired = async (keptFrom: number, firstOpenSegment: number, days: number) => {
      const settings = { directory: directory.path, fileSystem: nodeFileSystem, keepDays: 30 };
      const now = Date.now() + days * DAY_MS;
      return (await findRetired({ segments, firstOpenSegment }, keptFrom, { ...settings, now }))?.segment;
    };
    expect(await retired(Infinity, Infinity, 29)).toBeUndefined();
    expect(await retired(3, Infinity, 31)).toBe(2);
    expect(await retired(Infinity, 2, 31)).toBe(1);
    expect(await retired(Infinity, Infinity, 31)).toBe(3);
  });
});

describe('a sink that refuses content', () => {
  it('gets everything but the one event it does not take, which is set aside with an alert', async () => {
    await using directory = await temporaryDirectory();
    const sink = memorySink((events) => {
      if (events.some((event) => event.correlationId === 'poison')) {
        throw new AuditError('rejected_by_sink', 'no');
      }
    });
    await using trail = await openAuditTrail({ ...options(directory.path), sinks: [sink] });
    const calls = Array.from({ length: 60 }, (_, index) => (index === 41 ? 'poison' : `call-${index}`));
    await Promise.all(calls.map((correlationId) => trail.begin(intent({ correlationId }))));
    await trail.flush();
    await expect.poll(() => sink.stored.at(-1)?.action).toBe('audit/rejected_by_sink');
    expect(sink.stored.map((event) => event.sequence)).toEqual(
      Array.from({ length: 62 }, (_, index) => index + 1).filter((sequence) => sequence !== 42),
    );
    expect(trail.health()).toMatchObject({
      state: 'degraded',
      backlog: 0,
      lastError: { code: 'rejected_by_sink' },
      sinks: [{ name: 'memory', quarantined: 1 }],
    });
    const quarantine = await readFile(join(directory.path, 'quarantine-memory.jsonl'), 'utf8');
    expect(JSON.parse(quarantine)).toMatchObject({ correlationId: 'poison', sequence: 42 });
  });

  it('is asked again later, with nothing set aside, when it takes nothing at all', async () => {
    await using directory = await temporaryDirectory();
    const timers = manualTimers();
    let isBroken = true;
    const sink = memorySink(() => {
      if (isBroken) {
        throw new AuditError('rejected_by_sink', 'no');
      }
    });
    await using trail = await openAuditTrail({ ...options(directory.path), ...timers, sinks: [sink] });
    await Promise.all(Array.from({ length: 30 }, () => trail.begin(intent({ urgent: true }))));
    for (let round = 1; round <= 5; round += 1) {
      await expect.poll(() => trail.health().sinks[0]).toMatchObject({ failures: round, quarantined: 0 });
      timers.fire();
    }
    expect(trail.health()).toMatchObject({
      lastError: { code: 'rejected_by_sink', sink: 'memory' },
      sinks: [{ state: 'failing', backlog: 30 }],
    });
    isBroken = false;
    await trail.flush();
    expect(new Set(sink.stored.map((event) => event.sequence)).size).toBe(30);
  });

  it.each([
    [400, 'rejected_by_sink'],
    [413, 'rejected_by_sink'],
    [415, 'rejected_by_sink'],
    [422, 'rejected_by_sink'],
    [401, 'refused_by_sink'],
    [403, 'refused_by_sink'],
    [404, 'refused_by_sink'],
    [406, 'refused_by_sink'],
    [451, 'refused_by_sink'],
    [408, 'delivery_failed'],
    [409, 'delivery_failed'],
    [429, 'delivery_failed'],
    [500, 'delivery_failed'],
    [503, 'delivery_failed'],
  ])('says so over HTTP: %i is %s', async (status, code) => {
    const fetch = () => Promise.resolve(new Response('', { status }));
    const sink = createCollectorSink({ url: 'http://127.0.0.1:9/', fetch });
    const delivered = sink.deliver([], { signal: new AbortController().signal, idempotencyKey: 'k' });
    await expect(delivered).rejects.toMatchObject({ code });
  });

  it('gets events without checkpoints when it does not take those', async () => {
    await using directory = await temporaryDirectory();
    const stored: AuditEvent[] = [];
    const sink: AuditSink = {
      name: 'strict',
      takesCheckpoints: true,
      async deliver(events, { checkpoints = [] }) {
        if (checkpoints.length > 0) {
          throw new AuditError('rejected_by_sink', 'unknown stage');
        }
        stored.push(...events);
      },
    };
    const settings = { ...options(directory.path), checkpointEvents: 1, sinks: [sink] };
    await using trail = await openAuditTrail(settings);
    await (await trail.begin(intent())).finish(success);
    await trail.flush();
    expect(stored.map((event) => event.sequence)).toEqual([1, 2]);
    expect(trail.health().sinks[0]).toMatchObject({ quarantined: 0, state: 'ok' });
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    ['7200', 3_600_000],
  ])('is obeyed, up to an hour: %s', async (header, expectedMs) => {
    await using directory = await temporaryDirectory();
    const timers: number[] = [];
    const fetch = () =>
      Promise.resolve(new Response('', { status: 429, headers: { 'retry-after': header } }));
    const sinks = [createCollectorSink({ url: 'http://127.0.0.1:9/', fetch })];
    const settings = { ...options(directory.path), sinks, closeTimeoutMs: 1 };
    const trail = await openAuditTrail({
      ...settings,
      setTimer(callback, delayMs) {
        timers.push(delayMs);
        if (delayMs === 1) {
          callback();
        }
        return () => {};
      },
    });
    await trail.begin(intent({ urgent: true }));
    await expect.poll(() => timers).toContain(expectedMs);
    await trail.close();
  });

  it('may be a date', async () => {
    const at = new Date(Date.now() + 3_600_000).toUTCString();
    const fetch = () => Promise.resolve(new Response('', { status: 503, headers: { 'retry-after': at } }));
    const sink = createCollectorSink({ url: 'http://127.0.0.1:9/', fetch });
    const delivered = sink.deliver([], { signal: new AbortController().signal, idempotencyKey: 'k' });
    const error: unknown = await delivered.catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'delivery_failed', retryAfterMs: expect.any(Number) });
  });
});

describe('a collector that refuses one event over HTTP', () => {
  it('stores all others', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    collector.poison = 'call-3';
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    for (let index = 0; index < 8; index += 1) {
      await trail.begin(intent({ correlationId: `call-${index}` }));
    }
    await trail.flush();
    expect(collector.stored.slice(0, 7).map((event) => event.sequence)).toEqual([1, 2, 3, 5, 6, 7, 8]);
  });
});

describe('a collector that is away under load', () => {
  it(
    'costs no memory per event, and gets all of them in order when it is back',
    { timeout: 90_000 },
    async () => {
      const calls = 5000;
      await using directory = await temporaryDirectory();
      await using collector = await Collector.start();
      await collector.down();
      const sinks = [createCollectorSink({ url: collector.url })];
      await using trail = await openAuditTrail({
        ...options(directory.path),
        sinks,
        segmentBytes: 256 * 1024,
      });
      const before = heapBytes();
      let left = calls;
      const caller = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await (await trail.begin(intent({ urgent: true }))).finish(success);
        }
      };
      await Promise.all(Array.from({ length: 64 }, caller));
      expect(trail.health()).toMatchObject({ state: 'degraded', backlog: 2 * calls });
      // Queued events would hold some 10 MB.
      expect(heapBytes() - before).toBeLessThan(4_000_000);
      await collector.up();
      await trail.flush();
      expect(collector.stored.every((event, index) => event.sequence === index + 1)).toBe(true);
      expect(collector.stored).toHaveLength(2 * calls);
    },
  );
});

/** What is in use on the heap after a collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
