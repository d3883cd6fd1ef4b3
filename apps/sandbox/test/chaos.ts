import { setTimeout as delay } from 'node:timers/promises';

import {
  createClientCredentials,
  createClient,
  defineEndpoint,
  type Clock,
  type Result,
} from '@mcp-parts/resilient-client';
import { z } from 'zod';

import { defaultSeed, type Fault, startSandbox } from '../src/index.ts';
import { deploymentsCreate, servicesGet, servicesHealth } from './platform-endpoints.ts';
import { send } from './send.ts';

/** How long callers are let loose on a platform whose faults keep changing. */
export interface ChaosOptions {
  readonly callers: number;
  readonly rounds: number;
  /** A round, which is one fault, ends after this many calls that reached the wire, … */
  readonly callsPerRound?: number;
  /** … or after this many milliseconds. */
  readonly roundMs?: number;
}

/** What came of it. */
export interface ChaosReport {
  /** How calls ended: `ok`, or the code of the error. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly calls: number;
  /** Requests on the wire, refused connections included. */
  readonly attempts: number;
  /** The same for each round in which the platform was down. */
  readonly whileDown: readonly { readonly calls: number; readonly attempts: number }[];
  /** Writes that were carried out, and those among them that were more than once. */
  readonly writes: number;
  readonly writtenTwice: readonly string[];
  /** Writes with a key that arrived more than once, which the platform recognised. */
  readonly repeatedWithKey: number;
  /** Writes that must not be repeated and arrived more than once. */
  readonly repeatedWithoutKey: readonly string[];
  readonly unhandledRejections: readonly unknown[];
  /** What was left after the clients had been closed. */
  readonly timersLeft: number;
  readonly socketsLeft: number;
}

const faults: readonly (Fault | undefined)[] = [
  { kind: 'reset' },
  { kind: 'drip', bytesPerSecond: 200 },
  { kind: 'status', status: 503, retryAfterSeconds: 1 },
  undefined,
  { kind: 'malformed' },
  { kind: 'down' },
];

/** A write that the client must take for one that cannot be repeated, whatever the platform makes of its key. */
const createOnce = defineEndpoint({ ...deploymentsCreate, id: 'deployments.create-once', replay: 'never' });

/** Runs callers against the sandbox while its faults change, and counts what must not happen. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const unhandledRejections: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandledRejections.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const sandbox = await startSandbox({ deploymentStepMs: 1 });
  const socketsBefore = openSockets();
  const { clock, timers } = countingClock();
  const ledger = createLedger();

  const token = createClientCredentials({
    issuer: sandbox.urls.identity,
    clientId: sandbox.clients.mcpServer.clientId,
    clientSecret: () => sandbox.clients.mcpServer.clientSecret,
    resource: sandbox.platformAudience,
    scope: 'platform:read platform:deploy',
    timeoutMs: 500,
    clock,
  });
  const connect = (name: string, baseUrl: string) =>
    createClient({
      name,
      baseUrl,
      token,
      clock,
      // Everything in small, so that a short time holds many of each.
      policy: {
        deadlineMs: 1_500,
        attemptTimeoutMs: 200,
        retry: { baseDelayMs: 10, maxRetryAfterMs: 1_000 },
        breaker: { openMs: 100 },
      },
      on: (event) => {
        if (event.type === 'attempt') {
          ledger.attempts += 1;
        }
      },
    });
  const configuration = connect('configuration service', sandbox.urls.configuration);
  const deployments = connect('deployment API', sandbox.urls.deployments);
  const auditToken = await sandbox.issueServiceToken('mcp-server', {
    resource: sandbox.platformAudience,
    scopes: ['platform:read'],
  });

  const state = { isOver: false };
  async function callAgainAndAgain(caller: number): Promise<void> {
    const service = serviceNames[caller % serviceNames.length] ?? '';
    const environment = caller < serviceNames.length ? 'development' : 'staging';
    for (let turn = 0; !state.isOver; turn += 1) {
      const name = `${caller}-${turn}`;
      const body = { service, version: '1.0.0', environment, requestedBy: name } as const;
      const cancel = new AbortController();
      const { signal } = cancel;
      // Some callers change their minds.
      const cancelTimer = turn % 10 === 9 ? setTimeout(() => cancel.abort(), 20) : undefined;
      ledger.calls += 1;
      let result: Result<unknown>;
      switch (turn % 4) {
        case 0:
          result = await configuration.call(servicesGet, { params: { service } }, { signal });
          break;
        case 1:
          result = await configuration.call(servicesHealth, { params: { service, environment } }, { signal });
          break;
        case 2:
          result = await deployments.call(
            deploymentsCreate,
            { body },
            { signal, idempotencyKey: `key ${name}` },
          );
          break;
        default:
          result = await deployments.call(
            createOnce,
            { body },
            { signal, headers: { 'idempotency-key': `once ${name}` } },
          );
      }
      clearTimeout(cancelTimer);
      ledger.note(result);
      // A caller does as it is told, within reason, and one with time to fill makes a few calls a second.
      const waitMs = result.ok ? 0 : Math.min(result.error.retryAfterMs ?? 5, 50);
      await delay(Math.max(waitMs, options.roundMs === undefined ? 0 : 15));
    }
  }

  /** Writes that the platform carried out, as it shows them itself. */
  async function takeStock(): Promise<void> {
    for (const environment of ['development', 'staging', 'production']) {
      for (const service of serviceNames) {
        const path = `/v1/deployments?limit=200&service=${service}&environment=${environment}`;
        const { body } = await send(sandbox, 'deployments', path, { token: auditToken });
        for (const { id, requestedBy } of shownDeployments.parse(body).deployments) {
          ledger.written(requestedBy, id);
        }
      }
    }
    for (const request of sandbox.requests('deployments')) {
      ledger.arrived(request);
    }
  }

  // Whatever the callers meet by chance, this one write is carried out and loses its first answer.
  await sandbox.faults.set('deployments', { kind: 'drip', bytesPerSecond: 200, times: 1 });
  ledger.calls += 1;
  const lost = { service: serviceNames[0] ?? '', version: '1.0.0', environment: 'production' } as const;
  ledger.note(
    await deployments.call(
      deploymentsCreate,
      { body: { ...lost, requestedBy: 'lost' } },
      { signal: new AbortController().signal, idempotencyKey: 'key lost' },
    ),
  );

  const running = Array.from({ length: options.callers }, (_, caller) => callAgainAndAgain(caller));
  for (let round = 0; round < options.rounds; round += 1) {
    const fault = faults[round % faults.length];
    for (const name of platform) {
      if (fault !== undefined) {
        await sandbox.faults.set(name, fault);
      }
    }
    // Without an end of its own, no token could be had for as long as the round lasts.
    if (fault?.kind === 'status') {
      await sandbox.faults.set('identity', { ...fault, times: 1 });
    }
    const before = ledger.snapshot();
    await (options.roundMs === undefined
      ? ledger.untilCallsOnTheWire(options.callsPerRound ?? 50)
      : delay(options.roundMs));
    if (fault?.kind === 'down') {
      ledger.whileDown.push(ledger.since(before));
    }
    await sandbox.faults.clear();
    await takeStock();
    // As if it had been revoked: the next call has to get another.
    token.invalidate(
      (await token.get({ signal: AbortSignal.timeout(5_000) }).catch(() => ({ value: '' }))).value,
    );
  }
  state.isOver = true;
  await Promise.all(running);
  await takeStock();
  await configuration.close();
  await deployments.close();
  await sandbox.close();
  // A closed socket takes a turn or two to be gone.
  for (let turn = 0; turn < 200 && openSockets() > socketsBefore; turn += 1) {
    await delay(5);
  }
  process.off('unhandledRejection', onUnhandled);
  return {
    ...ledger.report(),
    unhandledRejections,
    timersLeft: timers.size,
    socketsLeft: Math.max(0, openSockets() - socketsBefore),
  };
}

const platform = ['configuration', 'deployments'] as const;
const serviceNames = defaultSeed.services.map(({ name }) => name);

const shownDeployments = z.object({
  deployments: z.array(z.object({ id: z.string(), requestedBy: z.string() })),
});

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}

/** The system's clock, with an account of the timers that are set. */
function countingClock(): { clock: Clock; timers: ReadonlySet<NodeJS.Timeout> } {
  const timers = new Set<NodeJS.Timeout>();
  const clock: Clock = {
    now: () => Date.now(),
    monotonicNow: () => performance.now(),
    schedule(delayMs, callback) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        callback();
      }, delayMs);
      timers.add(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer);
      };
    },
  };
  return { clock, timers };
}

function createLedger() {
  const outcomes: Record<string, number> = {};
  const whileDown: { calls: number; attempts: number }[] = [];
  const idsOf = new Map<string, Set<string>>();
  const arrivals = new Map<string, number>();
  const seen = new WeakSet<object>();
  let onTheWire = 0;
  let goal: { readonly calls: number; readonly reached: () => void } | undefined;

  const ledger = {
    calls: 0,
    attempts: 0,
    whileDown,
    snapshot: () => ({ calls: ledger.calls, attempts: ledger.attempts }),
    since: (before: { calls: number; attempts: number }) => ({
      calls: ledger.calls - before.calls,
      attempts: ledger.attempts - before.attempts,
    }),
    note(result: Result<unknown>) {
      const outcome = result.ok ? 'ok' : result.error.code;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if ((result.ok ? result.attempts : result.error.attempts) > 0) {
        onTheWire += 1;
      }
      if (goal !== undefined && onTheWire >= goal.calls) {
        goal.reached();
      }
    },
    untilCallsOnTheWire(more: number): Promise<void> {
      return new Promise((reached) => {
        goal = { calls: onTheWire + more, reached };
      });
    },
    written(name: string, id: string) {
      idsOf.set(name, (idsOf.get(name) ?? new Set()).add(id));
    },
    arrived(request: { method: string; headers: Readonly<Record<string, string>> }) {
      const key = request.headers['idempotency-key'];
      if (key === undefined || seen.has(request)) {
        return;
      }
      seen.add(request);
      arrivals.set(key, (arrivals.get(key) ?? 0) + 1);
    },
    report() {
      const repeated = [...arrivals].filter(([, times]) => times > 1).map(([key]) => key);
      return {
        outcomes,
        calls: ledger.calls,
        attempts: ledger.attempts,
        whileDown,
        writes: idsOf.size,
        writtenTwice: [...idsOf].filter(([, ids]) => ids.size > 1).map(([name]) => name),
        repeatedWithKey: repeated.filter((key) => key.startsWith('key ')).length,
        repeatedWithoutKey: repeated.filter((key) => key.startsWith('once ')),
      };
    },
  };
  return ledger;
}
