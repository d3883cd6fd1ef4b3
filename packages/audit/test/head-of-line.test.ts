import { readFile, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { nodeFileSystem } from '../src/disk/file-system.ts';
import {
  createCollectorSink,
  openAuditTrail,
  type AuditCheckpoint,
  type AuditEvent,
  type AuditSink,
  type AuditTrail,
  type AuditTrailOptions,
} from '../src/index.ts';
import { intent, options, segmentFiles, temporaryDirectory } from './fixtures.ts';

type AuditRecord = AuditEvent | AuditCheckpoint;

const success = { result: 'success', durationMs: 1 } as const;

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
  /** Cuts the connection instead of answering. */
  readonly reset?: boolean;
}

/** A collector on a socket that answers each batch as it is told, and keeps what it confirmed. */
async function collector(
  answerTo: (events: readonly AuditEvent[], stored: Set<number>) => Answer | undefined,
) {
  const stored = new Set<number>();
  let requests = 0;
  const server = createServer((request, response) => void respond(request, response));
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1;
    const { events: records } = JSON.parse(await text(request)) as { events: AuditRecord[] };
    const events = records.filter((record) => record.stage !== 'checkpoint');
    const answer = answerTo(events, stored);
    if (answer?.reset === true) {
      request.socket.resetAndDestroy();
      return;
    }
    if (answer !== undefined) {
      response.writeHead(answer.status, answer.type === undefined ? {} : { 'content-type': answer.type });
      response.end(answer.body);
      return;
    }
    events.forEach(({ sequence }) => stored.add(sequence));
    response.writeHead(204).end();
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stored,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const isPoison = ({ target }: AuditEvent): boolean => target.includes('UNION SELECT');

/** Timers that run at once, but for those of housekeeping: a back-off takes no time. */
const eager: Pick<AuditTrailOptions, 'setTimer' | 'random'> = {
  random: () => 0,
  setTimer(callback, delayMs) {
    if (delayMs >= 5000) {
      return () => {};
    }
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  },
};

async function call(trail: AuditTrail, target: string): Promise<void> {
  await (await trail.begin(intent({ target }))).finish(success);
}

async function quarantined(directory: string, sink: string): Promise<AuditEvent[]> {
  const lines = await readFile(join(directory, `quarantine-${sink}.jsonl`), 'utf8').catch(() => '');
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent);
}

const without = (last: number, ...missing: readonly number[]): number[] =>
  Array.from({ length: last }, (_, index) => index + 1).filter((sequence) => !missing.includes(sequence));

describe('an event that the way to the collector does not take', () => {
  it.each<[string, Answer]>([
    ['400', { status: 400 }],
    ['403', { status: 403 }],
    ['404', { status: 404 }],
    ['406', { status: 406 }],
    ['413', { status: 413 }],
    ['415', { status: 415 }],
    ['422', { status: 422 }],
    ['451', { status: 451 }],
    ['500', { status: 500 }],
    ['a reset connection', { status: 0, reset: true }],
    ['a block page with 200', { status: 200, type: 'text/html', body: '<h1>Blocked</h1>' }],
  ])('holds up nothing that follows, and is set aside: %s', async (_name, answer) => {
    await using directory = await temporaryDirectory();
    await using server = await collector((events) => (events.some(isPoison) ? answer : undefined));
    const sinks = [createCollectorSink({ url: server.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), ...eager, sinks });
    await call(trail, 'fine');
    await trail.flush();
    await call(trail, "x' UNION SELECT 1");
    await Promise.all(Array.from({ length: 20 }, () => call(trail, 'later')));
    await trail.flush();
    expect([...server.stored].filter((sequence) => sequence <= 44).toSorted((a, b) => a - b)).toEqual(
      without(44, 3, 4),
    );
    expect((await quarantined(directory.path, 'collector')).map(({ sequence }) => sequence)).toEqual([3, 4]);
    expect(trail.health()).toMatchObject({
      lastError: { code: 'rejected_by_sink' },
      sinks: [{ state: 'ok', quarantined: 2 }],
    });
  });

  it.each([3, 150])('holds up nothing although %i of them are the first there is', async (count) => {
    await using directory = await temporaryDirectory();
    await using server = await collector((events) => (events.some(isPoison) ? { status: 403 } : undefined));
    {
      await using before = await openAuditTrail(options(directory.path));
      await Promise.all(
        Array.from({ length: count }, () => before.begin(intent({ target: 'UNION SELECT' }))),
      );
      await before.begin(intent({ target: 'fine' }));
    }
    const sinks = [createCollectorSink({ url: server.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), ...eager, sinks });
    await trail.flush();
    expect(server.stored.has(count + 1)).toBe(true);
    // The start gave each of them an outcome, which repeats its target.
    expect(trail.health().sinks).toMatchObject([{ quarantined: 2 * count }]);
  });

  it('is not set aside while the collector refuses the sender', async () => {
    await using directory = await temporaryDirectory();
    let isKnown = false;
    await using server = await collector(() => (isKnown ? undefined : { status: 401 }));
    const sinks = [createCollectorSink({ url: server.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), ...eager, sinks });
    await Promise.all(Array.from({ length: 5 }, () => call(trail, 'fine')));
    const flushed = trail.flush();
    await expect.poll(() => server.requests).toBeGreaterThan(60);
    expect(trail.health()).toMatchObject({
      state: 'degraded',
      lastError: { code: 'refused_by_sink', sink: 'collector' },
      sinks: [{ quarantined: 0, backlog: 10 }],
    });
    isKnown = true;
    await flushed;
    expect(server.stored.size).toBe(10);
  });

  it('is sent again, alone, when a bulk request says that it may be', async () => {
    await using directory = await temporaryDirectory();
    const busy = new Set([2, 5]);
    const sent: number[][] = [];
    await using server = await collector((events, stored) => {
      sent.push(events.map(({ sequence }) => sequence));
      if (events.length === 0) {
        return undefined;
      }
      const items = events.map((event) => {
        const status = event.sequence === 4 ? 400 : busy.has(event.sequence) ? 429 : 201;
        if (status === 201) {
          stored.add(event.sequence);
        }
        return { create: { status } };
      });
      busy.clear();
      const errors = items.some(({ create }) => create.status > 299);
      return { status: 200, type: 'application/json', body: JSON.stringify({ errors, items }) };
    });
    const sinks = [createCollectorSink({ url: server.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), ...eager, sinks });
    await Promise.all(Array.from({ length: 3 }, () => call(trail, 'fine')));
    await trail.flush();
    expect(sent.slice(0, 2)).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 5],
    ]);
    expect((await quarantined(directory.path, 'collector')).map(({ sequence }) => sequence)).toEqual([4]);
    expect([...server.stored].filter((sequence) => sequence <= 6)).toEqual([1, 3, 6, 2, 5]);
  });
});

describe('a collector that answers 200 with something else', () => {
  it('has nothing, until its answers confirm what it has', async () => {
    await using directory = await temporaryDirectory();
    let isSignInPage = true;
    await using server = await collector(() =>
      isSignInPage ? { status: 200, type: 'text/html', body: '<title>Sign in</title>' } : undefined,
    );
    const sinks = [createCollectorSink({ url: server.url })];
    await using trail = await openAuditTrail({ ...options(directory.path), ...eager, sinks });
    await Promise.all(Array.from({ length: 10 }, () => call(trail, 'fine')));
    const flushed = trail.flush();
    await expect.poll(() => server.requests).toBeGreaterThan(40);
    expect(trail.health()).toMatchObject({
      lastError: { code: 'not_confirmed' },
      sinks: [{ state: 'failing', backlog: 20, quarantined: 0 }],
    });
    isSignInPage = false;
    await flushed;
    expect(server.stored.size).toBe(20);
  });

  it('has nothing when its answer breaks off', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '40' });
      response.write('{"accepted":');
      setImmediate(() => request.socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const sink = createCollectorSink({ url: `http://127.0.0.1:${port}/` });
    const delivered = sink.deliver([], { signal: new AbortController().signal, idempotencyKey: 'k' });
    await expect(delivered).rejects.toMatchObject({ code: 'delivery_failed' });
    server.close();
  });
});

describe('a segment that cannot be read', () => {
  function memorySink() {
    const stored: number[] = [];
    const state = { isUp: false };
    const sink: AuditSink = {
      name: 'memory',
      async deliver(events) {
        if (!state.isUp) {
          throw new Error('down');
        }
        stored.push(...events.map(({ sequence }) => sequence));
      },
    };
    return { sink, stored, state };
  }

  it('because it is gone is reported as damage, and what follows is delivered', async () => {
    await using directory = await temporaryDirectory();
    const { sink, stored, state } = memorySink();
    const settings = { ...options(directory.path), ...eager, segmentBytes: 3000, sinks: [sink] };
    await using trail = await openAuditTrail(settings);
    for (let index = 0; index < 15; index += 1) {
      await call(trail, 'fine');
    }
    const [, second = ''] = await segmentFiles(directory.path);
    const lost = (await readFile(second, 'utf8')).split('\n').filter((line) => line.includes('"event":'));
    await unlink(second);
    state.isUp = true;
    await trail.flush();
    await call(trail, 'fine');
    await trail.flush();
    expect(lost.length).toBeGreaterThan(0);
    expect(new Set(stored).size).toBe(trail.health().backlog + Math.max(...stored) - lost.length);
    expect(trail.health()).toMatchObject({ state: 'degraded', backlog: 0, lastError: { code: 'damaged' } });
  });

  it('is tried ten times, named in the health, and passed over when others can be read', async () => {
    await using directory = await temporaryDirectory();
    const { sink, stored, state } = memorySink();
    let unreadable = '';
    let attempts = 0;
    const codes = new Set<string | undefined>();
    const settings: AuditTrailOptions = {
      ...options(directory.path),
      ...eager,
      segmentBytes: 3000,
      sinks: [sink],
      fileSystem: {
        ...nodeFileSystem,
        async open(path, mode) {
          if (path === unreadable && mode === 'read') {
            attempts += 1;
            codes.add(trail.health().lastError?.code);
            throw Object.assign(new Error('i/o error'), { code: 'EIO' });
          }
          return nodeFileSystem.open(path, mode);
        },
      },
    };
    await using trail = await openAuditTrail(settings);
    for (let index = 0; index < 15; index += 1) {
      await call(trail, 'fine');
    }
    unreadable = (await segmentFiles(directory.path))[1] ?? '';
    state.isUp = true;
    await trail.flush();
    expect(attempts).toBeGreaterThanOrEqual(10);
    expect(codes).toContain('read_failed');
    expect(Math.max(...stored)).toBeGreaterThanOrEqual(30);
    expect(trail.health()).toMatchObject({ lastError: { code: 'damaged' }, sinks: [{ state: 'ok' }] });
  });

  it('has an age in the health although nobody knows the events in it', async () => {
    await using directory = await temporaryDirectory();
    {
      await using trail = await openAuditTrail(options(directory.path));
      await call(trail, 'fine');
    }
    const { sink } = memorySink();
    let now = Date.now();
    let isBroken = false;
    await using trail = await openAuditTrail({
      ...options(directory.path),
      ...eager,
      sinks: [sink],
      closeTimeoutMs: 1,
      now: () => now,
      fileSystem: {
        ...nodeFileSystem,
        async open(path, mode) {
          // The start has read what it needs when it takes its reserve.
          isBroken ||= path.endsWith('reserve');
          if (isBroken && mode === 'read' && path.endsWith('.jsonl')) {
            throw new Error('i/o error');
          }
          return nodeFileSystem.open(path, mode);
        },
      },
    });
    await expect.poll(() => trail.health().lastError?.code).toBe('read_failed');
    now += 60_000;
    expect(trail.health()).toMatchObject({ backlog: 2, oldestUndeliveredAgeMs: 60_000 });
  });
});
