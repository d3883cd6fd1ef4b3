/**
 * Compares the audit trail with what teams use instead, in one interleaved run: pino with sync and fsync.
 *
 *   pnpm bench:audit [rounds] [milliseconds per measurement]
 *
 * Trust the ratios; absolute figures belong to the machine and its load, both of which the result names.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram, monitorEventLoopDelay, type RecordableHistogram } from 'node:perf_hooks';
import { setImmediate, setInterval } from 'node:timers/promises';

import { openAuditTrail, type AuditIntent } from '@mcp-parts/audit';
import { pino as createLogger } from 'pino';

const CALLERS = [1, 16, 64];
const PACED_EVENTS_PER_SECOND = 5000;

/** Records one call: two events for the trail (intent, outcome), one for the others. Reports each wait in ns. */
type RecordCall = (measured: (waitNs: bigint) => void) => Promise<number>;
interface Contender {
  readonly name: string;
  readonly open: (directory: string) => Promise<{ recordCall: RecordCall } & AsyncDisposable>;
}

interface Figures {
  eventsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const intent: AuditIntent = {
  actor: {
    id: 'https://idp.example.com#alice',
    kind: 'user',
    displayName: 'Alice Example',
    email: 'alice@example.com',
    groups: ['platform', 'deployers'],
  },
  action: 'tools/call',
  target: 'trigger_deployment',
  resource: 'payment-service/production',
  arguments: { service: 'payment-service', environment: 'production', version: '1.4.2' },
  correlationId: '01931c0a-7d3e-7c52-b1a5-3f0f4f4f9d11',
  transport: 'http',
  era: '2026',
  client: { name: 'example-client', version: '1.0.0' },
  sourceAddress: '10.1.2.3',
  urgent: false,
};

const trail: Contender = {
  name: 'trail',
  async open(directory) {
    const opened = await openAuditTrail({
      directory,
      sinks: [],
      server: { name: 'bench', version: '1.0.0' },
    });
    return {
      async recordCall(measured) {
        const startedAt = process.hrtime.bigint();
        const entry = await opened.begin(intent);
        measured(process.hrtime.bigint() - startedAt);
        await entry.finish({ result: 'success', durationMs: 1 });
        return 2;
      },
      [Symbol.asyncDispose]: () => opened.close(),
    };
  },
};

const pino: Contender = {
  name: 'pino fsync',
  open(directory) {
    const destination = createLogger.destination({
      dest: join(directory, 'pino.jsonl'),
      sync: true,
      fsync: true,
    });
    const logger = createLogger(destination);
    return Promise.resolve({
      recordCall: blocking(() => logger.info(intent, 'audit')),
      [Symbol.asyncDispose]: () => Promise.resolve(destination.end()),
    });
  },
};

/** A contender that blocks the event loop for each event; the others get their turn between two. */
function blocking(record: () => void): RecordCall {
  return async (measured) => {
    const startedAt = process.hrtime.bigint();
    await setImmediate();
    record();
    measured(process.hrtime.bigint() - startedAt);
    return 1;
  };
}

async function withContender<T>(
  contender: Contender,
  use: (recordCall: RecordCall) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-audit-'));
  try {
    await using opened = await contender.open(directory);
    return await use(opened.recordCall);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function measureCallers(contender: Contender, callers: number, durationMs: number): Promise<Figures> {
  return withContender(contender, async (recordCall) => {
    const waits = createHistogram();
    // The first tenth warms up.
    await runCallers(recordCall, callers, durationMs / 10, createHistogram());
    const startedAt = performance.now();
    const events = await runCallers(recordCall, callers, durationMs, waits);
    const seconds = (performance.now() - startedAt) / 1000;
    return {
      eventsPerSecond: Math.round(events / seconds),
      p50Ms: milliseconds(waits.percentile(50)),
      p99Ms: milliseconds(waits.percentile(99)),
    };
  });
}

async function runCallers(
  recordCall: RecordCall,
  callers: number,
  durationMs: number,
  waits: RecordableHistogram,
): Promise<number> {
  const endsAt = performance.now() + durationMs;
  let events = 0;
  const call = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const recorded = await recordCall((waitNs) => waits.record(waitNs));
      events += recorded;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return events;
}

/** How late the event loop runs at a fixed rate of calls, and which part of that rate was reached. */
function measurePaced(contender: Contender | undefined, durationMs: number) {
  const measure = async (recordCall: RecordCall, eventsPerCall: number) => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const pending = new Set<Promise<unknown>>();
    let events = 0;
    const startedAt = performance.now();
    delay.enable();
    for await (const _ of setInterval(1)) {
      const elapsedMs = performance.now() - startedAt;
      if (elapsedMs > durationMs) {
        break;
      }
      const owed = (elapsedMs / 1000) * PACED_EVENTS_PER_SECOND - events;
      for (let issued = 0; issued < Math.min(owed, 100); issued += eventsPerCall) {
        events += eventsPerCall;
        const call = recordCall(() => {}).finally(() => pending.delete(call));
        pending.add(call);
      }
    }
    delay.disable();
    await Promise.all(pending);
    const seconds = (performance.now() - startedAt) / 1000;
    return {
      p99Ms: milliseconds(delay.percentile(99)),
      p999Ms: milliseconds(delay.percentile(99.9)),
      eventsPerSecond: Math.round(events / seconds),
    };
  };
  if (contender === undefined) {
    return measure(() => Promise.resolve(0), PACED_EVENTS_PER_SECOND);
  }
  return withContender(contender, (recordCall) => measure(recordCall, contender === trail ? 2 : 1));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function medianOf<Row extends object>(rows: readonly Row[]): Row {
  const [first] = rows;
  if (first === undefined) {
    throw new RangeError('rounds must be at least 1');
  }
  return Object.fromEntries(
    // Every member is a number: these are the figures of the rounds.
    Object.keys(first).map((key) => [key, median(rows.map((row) => Number(Reflect.get(row, key))))]),
  ) as Row;
}

function milliseconds(nanoseconds: number): number {
  return Math.round(nanoseconds / 1000) / 1000;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [rounds = 5, durationMs = 500] = process.argv.slice(2).map(Number);
const contenders = [trail, pino];
const loadBefore = loadavg();
const results: Record<string, Record<number, Figures>> = {};
for (const callers of CALLERS) {
  const figures = new Map<Contender, Figures[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [contender, measured] of figures) {
      measured.push(await measureCallers(contender, callers, durationMs));
    }
  }
  for (const [{ name }, measured] of figures) {
    (results[name] ??= {})[callers] = medianOf(measured);
  }
}
const eventLoop: Record<string, object> = {};
for (const contender of [undefined, ...contenders]) {
  const measured = [];
  for (let round = 0; round < rounds; round += 1) {
    measured.push(await measurePaced(contender, durationMs * 2));
  }
  eventLoop[contender?.name ?? 'idle'] = medianOf(measured);
}

const report = {
  measuredAt: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version },
  loadAverage: { before: loadBefore, after: loadavg() },
  rounds,
  durationMs,
  results,
  eventLoopDelayAt5000EventsPerSecond: eventLoop,
};
print(`load ${loadBefore.map((load) => load.toFixed(1)).join(' ')}, ${rounds} rounds of ${durationMs} ms`);
for (const callers of CALLERS) {
  const base = results[trail.name]?.[callers]?.eventsPerSecond ?? Number.NaN;
  for (const [name, byCallers] of Object.entries(results)) {
    const { eventsPerSecond = Number.NaN, p50Ms, p99Ms } = byCallers[callers] ?? {};
    const ratio = name === trail.name ? '' : `   trail is ${(base / eventsPerSecond).toFixed(1)} x`;
    print(
      `${String(callers).padStart(3)} callers  ${name.padEnd(14)} ${String(eventsPerSecond).padStart(7)} events/s` +
        `  p50 ${p50Ms} ms  p99 ${p99Ms} ms${ratio}`,
    );
  }
}
for (const [name, figures] of Object.entries(eventLoop)) {
  print(`event loop at ${PACED_EVENTS_PER_SECOND}/s  ${name.padEnd(14)} ${JSON.stringify(figures)}`);
}
const directory = new URL('results/', import.meta.url);
await mkdir(directory, { recursive: true });
await writeFile(new URL('audit.json', directory), `${JSON.stringify(report, undefined, 2)}\n`);
