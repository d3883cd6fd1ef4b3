import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  AuditError,
  createCollectorSink,
  openAuditTrail,
  type AuditEvent,
  type AuditSink,
  type AuditTrail,
} from '../src/index.ts';
import { Collector } from './collector.ts';
import { faultyFileSystem } from './faulty-file-system.ts';
import { intent, options, temporaryDirectory } from './fixtures.ts';
import { manualTimers } from './manual-timers.ts';

const success = { result: 'success', durationMs: 12 } as const;

async function makeCalls(trail: AuditTrail, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await (await trail.begin(intent())).finish(success);
  }
}

function sequences(events: readonly AuditEvent[]): number[] {
  return events.map((event) => event.sequence);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

describe('when events are delivered', () => {
  it('waits for the interval', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const timers = manualTimers();
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), ...timers, sinks });
    await makeCalls(trail, 3);
    expect(timers.delays).toEqual([10_000]);
    expect(collector.requests).toEqual([]);
    timers.fire();
    await expect.poll(() => sequences(collector.stored)).toEqual(upTo(6));
    expect(collector.requests).toHaveLength(1);
  });

  it('delivers a denied event, and what came before it, at once', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    await makeCalls(trail, 1);
    await (await trail.begin(intent())).finish({ result: 'denied', reason: 'missing_group', durationMs: 1 });
    await expect.poll(() => sequences(collector.stored)).toEqual(upTo(4));
    expect(collector.stored.at(-1)).toMatchObject({ result: 'denied', reason: 'missing_group' });
  });

  it('delivers an urgent intent at once', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    await trail.begin(intent({ urgent: true }));
    await expect.poll(() => sequences(collector.stored)).toEqual([1]);
  });

  it('shares requests between denied events instead of sending one each', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    const entries = await Promise.all(upTo(50).map(() => trail.begin(intent())));
    await Promise.all(entries.map((entry) => entry.finish({ result: 'denied', durationMs: 1 })));
    await trail.flush();
    expect(sequences(collector.stored)).toEqual(upTo(100));
    expect(collector.requests.length).toBeLessThan(5);
  });

  it('never ships an event that is not durable', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const fileSystem = faultyFileSystem();
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), fileSystem, sinks });
    await makeCalls(trail, 1);
    fileSystem.failNextSync = true;
    fileSystem.failTruncate = true;
    await expect(trail.begin(intent({ urgent: true, correlationId: 'refused' }))).rejects.toThrow(AuditError);
    await makeCalls(trail, 1);
    await trail.flush();
    expect(sequences(collector.stored)).toEqual(upTo(4));
    expect(collector.stored.map((event) => event.correlationId)).not.toContain('refused');
  });

  it('ships at most 100 events at a time, in order', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), segmentBytes: 20_000, sinks });
    await Promise.all(upTo(250).map(() => trail.begin(intent())));
    await makeCalls(trail, 50);
    await trail.flush();
    expect(Math.max(...collector.requests.map(({ events }) => events.length))).toBe(100);
    expect(sequences(collector.requests.flatMap(({ events }) => events))).toEqual(upTo(350));
  });
});

describe('a collector in trouble', () => {
  it('gets everything once and in order when it is back', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const timers = manualTimers();
    let now = 1_800_000_000_000;
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({
      ...options(directory.path),
      ...timers,
      now: () => now,
      sinks,
    });
    await collector.down();
    await makeCalls(trail, 120);
    timers.fire();
    await expect.poll(() => trail.health().state).toBe('degraded');
    now += 60_000;
    expect(trail.health()).toMatchObject({
      state: 'degraded',
      backlog: 240,
      oldestUndeliveredAgeMs: 60_000,
      lastError: {
        code: 'delivery_failed',
        message: 'The audit collector did not accept the events; they are kept and sent again.',
        sink: 'collector',
      },
    });
    await collector.up();
    await trail.flush();
    expect(sequences(collector.requests.flatMap(({ events }) => events))).toEqual(upTo(240));
    expect(trail.health()).toMatchObject({ state: 'ok', backlog: 0, oldestUndeliveredAgeMs: 0 });
  });

  it.each(['refuse', 'reset-before', 'reset-after'] as const)(
    'repeats a batch under the same key: %s',
    async (mode) => {
      await using directory = await temporaryDirectory();
      await using collector = await Collector.start();
      collector.mode = mode;
      const timers = manualTimers();
      const sinks = [createCollectorSink({ url: collector.url })];
      await using trail = await openAuditTrail({ ...options(directory.path), ...timers, sinks });
      await trail.begin(intent({ urgent: true }));
      await expect.poll(() => timers.delays).toHaveLength(1);
      await makeCalls(trail, 1);
      collector.mode = 'accept';
      timers.fire();
      await expect.poll(() => sequences(collector.stored)).toEqual(upTo(3));
      const [first, second] = collector.requests;
      expect(second).toEqual(first);
      expect(first?.idempotencyKey).toBe(`${first?.events[0]?.writerId}:1-1`);
    },
  );

  it('backs off with full jitter up to a minute', async () => {
    await using directory = await temporaryDirectory();
    const timers = manualTimers();
    let attempts = 0;
    const sink: AuditSink = {
      name: 'failing',
      deliver() {
        attempts += 1;
        return attempts < 10 ? Promise.reject(new Error('no')) : Promise.resolve();
      },
    };
    await using trail = await openAuditTrail({
      ...options(directory.path),
      ...timers,
      random: () => 0.5,
      sinks: [sink],
    });
    await trail.begin(intent({ urgent: true }));
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      await expect.poll(() => [attempts, timers.delays.length]).toEqual([attempt, 1]);
      delays.push(...timers.delays);
      timers.fire();
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('does not shorten the back-off for denied events', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    collector.mode = 'refuse';
    const timers = manualTimers();
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), ...timers, sinks });
    await trail.begin(intent({ urgent: true }));
    await expect.poll(() => timers.delays).toHaveLength(1);
    for (const entry of await Promise.all(upTo(5).map(() => trail.begin(intent({ urgent: true }))))) {
      await entry.finish({ result: 'denied', durationMs: 1 });
    }
    expect(collector.requests).toHaveLength(1);
    collector.mode = 'accept';
  });

  it('stops no other sink, not even by hanging', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const hanging: AuditSink = { name: 'hanging', deliver: () => new Promise(() => {}) };
    const throwing: AuditSink = {
      name: 'throwing',
      deliver() {
        throw new Error('no');
      },
    };
    const timers = manualTimers();
    const sinks = [hanging, throwing, createCollectorSink({ url: collector.url })];
    const trail = await openAuditTrail({ ...options(directory.path), ...timers, sinks });
    await trail.begin(intent({ urgent: true }));
    await expect.poll(() => sequences(collector.stored)).toEqual([1]);
    expect(trail.health()).toMatchObject({ state: 'degraded', backlog: 1 });
    const closed = trail.close();
    await expect.poll(() => timers.delays).toContain(5000);
    timers.fire();
    await closed;
  });
});

describe('delivery across runs', () => {
  it('sends what an earlier run could not, and nothing it could', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const timers = manualTimers();
    const sinks = [createCollectorSink({ url: collector.url })];
    {
      const trail = await openAuditTrail({ ...options(directory.path), ...timers, sinks });
      await makeCalls(trail, 2);
      await trail.flush();
      await collector.down();
      await makeCalls(trail, 1);
      const closed = trail.close();
      await expect.poll(() => trail.health().lastError).toBeDefined();
      await expect.poll(() => timers.delays).toContain(5000);
      timers.fire();
      await closed;
    }
    await collector.up();
    {
      await using trail = await openAuditTrail({ ...options(directory.path), sinks });
      await makeCalls(trail, 1);
    }
    expect(sequences(collector.requests.flatMap(({ events }) => events))).toEqual(upTo(8));
  });

  it('ships what is left when it closes', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    {
      const sinks = [createCollectorSink({ url: collector.url })];
      await using trail = await openAuditTrail({ ...options(directory.path), sinks });
      await makeCalls(trail, 5);
    }
    expect(sequences(collector.stored)).toEqual(upTo(10));
  });

  it('starts over when the cursor is unreadable', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url })];
    const first = await openAuditTrail({ ...options(directory.path), sinks });
    await makeCalls(first, 1);
    await first.close();
    await writeFile(join(directory.path, 'cursor-collector.json'), '{"version":1,');
    await (await openAuditTrail({ ...options(directory.path), sinks })).close();
    expect(sequences(collector.requests.flatMap(({ events }) => events))).toEqual([1, 2, 1, 2]);
    expect(sequences(collector.stored)).toEqual([1, 2]);
  });
});

describe('flush()', () => {
  it('ends a back-off, and rejects with the reason of its signal', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    collector.mode = 'refuse';
    const sinks = [createCollectorSink({ url: collector.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    await trail.begin(intent());
    const abort = new AbortController();
    const flushed = trail.flush({ signal: abort.signal });
    await expect.poll(() => trail.health().state).toBe('degraded');
    abort.abort(new Error('enough'));
    await expect(flushed).rejects.toThrow('enough');
    collector.mode = 'accept';
    await trail.flush();
    expect(sequences(collector.stored)).toEqual([1]);
  });
});

describe('createCollectorSink', () => {
  it('sends the token', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const sinks = [createCollectorSink({ url: collector.url, token: () => Promise.resolve('t-1') })];
    await using trail = await openAuditTrail({ ...options(directory.path), sinks });
    await trail.begin(intent());
    await trail.flush();
    expect(collector.requests[0]?.authorization).toBe('Bearer t-1');
  });

  it('ends a request that takes too long', async () => {
    const fetch: typeof globalThis.fetch = (_, init) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const sink = createCollectorSink({ url: 'http://127.0.0.1:9/', fetch, timeoutMs: 1 });
    const { signal } = new AbortController();
    const delivered = sink.deliver([], { signal, idempotencyKey: 'k' });
    await expect(delivered).rejects.toMatchObject({
      code: 'delivery_failed',
      cause: { name: 'TimeoutError' },
    });
  });

  it('follows no redirect', async () => {
    let init: RequestInit | undefined;
    const fetch: typeof globalThis.fetch = (_, received) => {
      init = received;
      return Promise.resolve(new Response(undefined, { status: 204 }));
    };
    const { signal } = new AbortController();
    const sink = createCollectorSink({ url: 'http://127.0.0.1:9/', fetch });
    await sink.deliver([], { signal, idempotencyKey: 'k' });
    expect(init?.redirect).toBe('error');
  });

  it('refuses options out of range', () => {
    expect(() => createCollectorSink({ url: 'file:///etc/hosts' })).toThrow(TypeError);
    expect(() => createCollectorSink({ url: 'http://127.0.0.1/', timeoutMs: 0 })).toThrow(RangeError);
  });
});
