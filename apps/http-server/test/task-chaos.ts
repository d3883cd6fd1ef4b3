import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';

import { auditEventSchema, verifyTrail, type AuditEvent } from '@mcp-parts/audit';
import { defaultSeed, startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { z } from 'zod';

import { startServer, tokenFor, type TestServer } from './http-server.ts';
import { messagesOf, modernCall, send } from './raw-request.ts';

/** What came out of a number of kills. Everything but the first four must be empty or 0. */
export interface TaskChaosResult {
  readonly kills: number;
  /** Calls whose client has the id of their task. */
  readonly acknowledged: number;
  /** Deployments at the backend. */
  readonly deployments: number;
  /** How the calls ended, by the words of the trail. */
  readonly endings: Readonly<Record<string, number>>;
  /** Tasks that were acknowledged and are unknown, or have not ended. */
  readonly lostTasks: readonly string[];
  /** What the backend was asked to do more than once, or by no task. */
  readonly repeatedDeployments: readonly string[];
  /** Tasks that say something else than the backend. */
  readonly untrueTasks: readonly string[];
  /** Calls that have more than one intent, or not one outcome. */
  readonly brokenCalls: readonly string[];
  /** What is wrong with the trails themselves. */
  readonly findings: readonly string[];
}

const PLACES = ['development', 'staging'] as const;
const USERS = ['developer', 'release-manager'] as const;
/** A worker is believed dead after 15 s, and what it ran is taken then. */
const HANG_MS = 120_000;
/** Where nothing was left, nothing is taken. */
const TAKEN_OVER_MS = 20_000;
const KILLS_PER_DIRECTORY = 20;

interface Begun {
  readonly user: (typeof USERS)[number];
  readonly service: string;
  readonly environment: string;
  readonly version: string;
  taskId?: string | undefined;
}

/** Kills the real server while deployments run, again and again, and looks at what is left. */
export async function runTaskChaos(
  kills: number,
  onKill: (kill: number) => void = () => undefined,
): Promise<TaskChaosResult> {
  const results: TaskChaosResult[] = [];
  for (let done = 0; done < kills; done += KILLS_PER_DIRECTORY) {
    const portion = Math.min(KILLS_PER_DIRECTORY, kills - done);
    // oxlint-disable-next-line no-await-in-loop -- One state directory after the other.
    results.push(await runPortion(portion, (kill) => onKill(done + kill)));
  }
  return results.reduce(sum);
}

async function runPortion(kills: number, onKill: (kill: number) => void): Promise<TaskChaosResult> {
  await using sandbox = await startSandbox({ mcpResource, deploymentStepMs: 150 });
  const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-task-chaos-'));
  const start = () =>
    startServer(sandbox, { STATE_DIRECTORY: stateDirectory, RATE_LIMIT_PER_MINUTE: '10000' });
  const begun: Begun[] = [];
  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      const server = await start();
      if (kill === kills) {
        // This one is hit while it goes on with what the others left.
        await Promise.race([server.process.logged('task was interrupted'), sleep(TAKEN_OVER_MS)]);
      }
      const calls = targets
        .slice(begun.length, begun.length + (kill % 3 === 0 ? 2 : 1))
        .map((target, index): Begun => ({
          ...target,
          user: USERS[index % 2] ?? 'developer',
          version: `1.${begun.length + index}.0`,
        }));
      begun.push(...calls);
      const answers = calls.map((call) => begin(sandbox, server, call));
      await sleep(Math.random() * 500);
      await server.stop('SIGKILL');
      await Promise.all(answers);
      await server[Symbol.asyncDispose]();
      onKill(kill);
    }
    await using last = await start();
    await ended(stateDirectory);
    return await judge({ sandbox, server: last, stateDirectory, begun, kills });
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

/**
 * No two of a portion deploy the same service to the same environment: the backend would refuse one. Nor to where it is
 * not healthy: that deployment would succeed, and its task would not.
 */
const targets = PLACES.flatMap((environment) =>
  defaultSeed.services
    .filter(({ health }) => health?.[environment] === undefined)
    .map(({ name: service }) => ({ service, environment })),
);

/** The server may die before it answers. */
async function begin(sandbox: Sandbox, server: TestServer, call: Begun): Promise<void> {
  const { user, service, version, environment } = call;
  const token = await tokenFor(sandbox, user);
  const answer = await send(
    server.url,
    modernCall(token, 'trigger_deployment', { service, version, environment }),
  ).catch(() => undefined);
  const content = answer && contentOf(answer);
  call.taskId = typeof content?.['taskId'] === 'string' ? content['taskId'] : undefined;
}

const answerSchema = z.looseObject({
  result: z.looseObject({ structuredContent: z.record(z.string(), z.unknown()).optional() }).optional(),
});

function contentOf(answer: Parameters<typeof messagesOf>[0]): Readonly<Record<string, unknown>> | undefined {
  return answerSchema.parse(messagesOf(answer)[0]).result?.structuredContent;
}

/** Where a call deploys to, by what its intent is about: `service/environment`. */
function regionsOf(resource: string | undefined): readonly string[] {
  const environment = PLACES.find((place) => resource?.endsWith(`/${place}`));
  return environment === undefined ? [] : defaultSeed.regions[environment];
}

/** The events of all trails in a state directory. */
async function eventsIn(stateDirectory: string): Promise<AuditEvent[]> {
  const events = new Map<string, AuditEvent>();
  for (const folder of await trailsIn(stateDirectory)) {
    const names = (await readdir(folder)).flatMap((file) => /^\d+\.jsonl(?=$|\.zst$)/u.exec(file) ?? []);
    for (const name of [...new Set(names)].toSorted()) {
      const text = await segmentText(join(folder, name));
      for (const line of text.split('\n').slice(0, -1)) {
        const { event } = JSON.parse(line) as { event?: unknown };
        const read = event === undefined ? undefined : auditEventSchema.parse(event);
        if (read !== undefined) {
          events.set(read.id, read);
        }
      }
    }
  }
  return [...events.values()];
}

/** One that is not written to any more gets compressed: the packed file is there before the other one goes. */
async function segmentText(path: string): Promise<string> {
  const plain = await readFile(path, 'utf8').catch(() => undefined);
  return plain ?? zstdDecompressSync(await readFile(`${path}.zst`)).toString();
}

async function trailsIn(stateDirectory: string): Promise<string[]> {
  const names = (await readdir(stateDirectory)).filter((name) => /^\d+$/u.test(name));
  return names.map((name) => join(stateDirectory, name, 'audit'));
}

const isDeployment = ({ target }: AuditEvent) => target === 'trigger_deployment';

/** Waits until no call is open in a trail. */
async function ended(stateDirectory: string): Promise<void> {
  const deadline = performance.now() + HANG_MS;
  for (;;) {
    const events = (await eventsIn(stateDirectory)).filter(isDeployment);
    const closed = new Set(events.flatMap((event) => (event.stage === 'outcome' ? [event.intentId] : [])));
    if (events.every((event) => event.stage === 'outcome' || closed.has(event.id))) {
      return;
    }
    if (performance.now() > deadline) {
      return;
    }
    await sleep(250);
  }
}

const deploymentsSchema = z.object({
  deployments: z.array(
    z.looseObject({
      service: z.string(),
      environment: z.string(),
      version: z.string(),
      state: z.string(),
    }),
  ),
});

async function deploymentsAt(sandbox: Sandbox, idempotencyKey?: string) {
  const token = await sandbox.issueServiceToken('mcp-server', {
    resource: sandbox.platformAudience,
    scopes: ['platform:read'],
  });
  const query = new URLSearchParams({ limit: '200', ...(idempotencyKey && { idempotencyKey }) });
  const response = await fetch(`${sandbox.urls.deployments}/v1/deployments?${query.toString()}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return deploymentsSchema.parse(await response.json()).deployments;
}

interface Portion {
  readonly sandbox: Sandbox;
  readonly server: TestServer;
  readonly stateDirectory: string;
  readonly begun: readonly Begun[];
  readonly kills: number;
}

async function judge({ sandbox, server, stateDirectory, begun, kills }: Portion): Promise<TaskChaosResult> {
  const events = (await eventsIn(stateDirectory)).filter(isDeployment);
  const intents = events.filter(({ stage }) => stage === 'intent');
  const outcomes = events.flatMap((event) => (event.stage === 'outcome' ? [event] : []));
  const outcomeOf = (id: string) => outcomes.filter(({ intentId }) => intentId === id);
  const byTask = Map.groupBy(intents, ({ taskId = '' }) => taskId);
  const deployments = await deploymentsAt(sandbox);

  const untrueTasks: string[] = [];
  let owned = 0;
  for (const [taskId, [intent]] of byTask) {
    const [outcome] = outcomeOf(intent?.id ?? '');
    const regions = regionsOf(intent?.resource);
    const found = (
      await Promise.all(regions.map((region) => deploymentsAt(sandbox, `${taskId}.${region}`)))
    ).flat();
    owned += found.length;
    const isDone = found.length === regions.length && found.every(({ state }) => state === 'succeeded');
    if ((outcome?.result === 'success') !== isDone) {
      const states = found.map(({ state }) => state).join();
      untrueTasks.push(`${taskId}: ${outcome?.result} ${outcome?.reason}, at the backend ${states}`);
    }
  }

  const lostTasks: string[] = [];
  const acknowledged = begun.filter(({ taskId }) => taskId !== undefined);
  for (const { user, taskId = '' } of acknowledged) {
    const token = await tokenFor(sandbox, user);
    const status = contentOf(
      await send(server.url, modernCall(token, 'check_deployment_status', { taskId })),
    );
    const [outcome] = outcomeOf(byTask.get(taskId)?.[0]?.id ?? '');
    const wanted = outcome?.result === 'success' ? 'completed' : 'failed';
    if (status?.['state'] !== wanted) {
      lostTasks.push(`${taskId}: ${String(status?.['state'])}, in the trail ${outcome?.result}`);
    }
  }

  const places = Map.groupBy(deployments, (one) => `${one.service} ${one.version} ${one.environment}`);
  const verified = await Promise.all(
    (await trailsIn(stateDirectory)).map(async (directory) => verifyTrail({ directory })),
  );
  return {
    kills,
    acknowledged: acknowledged.length,
    deployments: deployments.length,
    endings: countBy(
      outcomes.map(({ result, reason }) => (reason === undefined ? result : `${result} ${reason}`)),
    ),
    lostTasks,
    repeatedDeployments: [
      // One for each region.
      ...[...places].flatMap(([place, made]) =>
        made.length > regionsOf(`/${made[0]?.environment}`).length ? [place] : [],
      ),
      ...(owned === deployments.length ? [] : [`${deployments.length - owned} of no task`]),
    ],
    untrueTasks,
    brokenCalls: [...byTask].flatMap(([taskId, [intent, ...more]]) =>
      more.length === 0 && outcomeOf(intent?.id ?? '').length === 1
        ? []
        : [`${taskId}: ${storyOf(events.filter((event) => event.taskId === taskId))}`],
    ),
    findings: verified.flatMap(({ findings }) => findings.map((finding) => JSON.stringify(finding))),
  };
}

/** For whoever has to find out what happened. */
function storyOf(events: readonly AuditEvent[]): string {
  return events
    .map((event) => (event.stage === 'intent' ? event.time : `${event.time} ${event.result} ${event.reason}`))
    .join(', ');
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function sum(one: TaskChaosResult, other: TaskChaosResult): TaskChaosResult {
  const endings = { ...one.endings };
  for (const [name, count] of Object.entries(other.endings)) {
    endings[name] = (endings[name] ?? 0) + count;
  }
  return {
    kills: one.kills + other.kills,
    acknowledged: one.acknowledged + other.acknowledged,
    deployments: one.deployments + other.deployments,
    endings,
    lostTasks: [...one.lostTasks, ...other.lostTasks],
    repeatedDeployments: [...one.repeatedDeployments, ...other.repeatedDeployments],
    untrueTasks: [...one.untrueTasks, ...other.untrueTasks],
    brokenCalls: [...one.brokenCalls, ...other.brokenCalls],
    findings: [...one.findings, ...other.findings],
  };
}
