import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { auditEventSchema, openAuditTrail, type AuditEvent, type AuditTrail } from '@mcp-parts/audit';
import { localCaller } from '@mcp-parts/auth';
import { openSqliteStore, openTaskEngine, type TaskStore } from '@mcp-parts/tasks';
import {
  createCatalog,
  createMethodTable,
  defineTool,
  type CallContext,
  type MethodTable,
} from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { assembleServer, type Server } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';

const patience = { timeout: 30_000 };
const alice = localCaller({ name: 'alice', permissions: ['bake'] });

let directory: string;
let runs: { readonly context: CallContext; readonly finish: PromiseWithResolvers<{ cakes: number }> }[];
const servers: Server[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'two-trails-'));
  runs = [];
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(directory, { recursive: true, force: true });
});

const bake = defineTool({
  name: 'bake',
  title: 'Bake cakes',
  description: 'Bakes.',
  input: z.strictObject({ cakes: z.number() }),
  output: z.object({ cakes: z.number() }),
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  permission: 'bake',
  longRunning: { onInterrupted: 'resume' },
  async handle(_input, context) {
    const finish = Promise.withResolvers<{ cakes: number }>();
    context.signal.addEventListener('abort', () => finish.reject(context.signal.reason));
    runs.push({ context, finish });
    return finish.promise;
  },
  text: ({ cakes }) => `${cakes} cakes are done.`,
});

/** A replica: a state directory of its own, and the tasks of all. */
async function replica(name: string, options: { readonly runsTasks?: boolean } = {}): Promise<Server> {
  const { runsTasks = true } = options;
  const taskStore = openSqliteStore(join(directory, 'tasks.db'));
  const server = await assembleServer({
    serverInfo: { name, version: '1.0.0' },
    definitions: { tools: [bake] },
    logger: silentLogger,
    stateDirectory: join(directory, name),
    ports: { taskStore: runsTasks ? taskStore : { ...taskStore, claim: async () => undefined } },
  });
  servers.push(server);
  return server;
}

async function call(server: { readonly table: MethodTable }): Promise<string> {
  const answer = await server.table.methods.get('tools/call')?.(
    { name: 'bake', arguments: { cakes: 3 } },
    {
      caller: alice,
      signal: new AbortController().signal,
      era: '2026',
      transport: 'http',
      correlationId: 'ref-1',
      channel: { meta: {}, capabilities: {}, notify() {}, log() {} },
    },
  );
  return z.looseObject({ structuredContent: z.looseObject({ taskId: z.string() }) }).parse(answer)
    .structuredContent.taskId;
}

/** The events of a replica's trail, in their order. */
async function trailOf(name: string): Promise<AuditEvent[]> {
  const folder = join(directory, name, '1', 'audit');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl')).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return texts
    .join('')
    .split('\n')
    .flatMap((line) => {
      const { event } = line === '' ? {} : (JSON.parse(line) as { event?: unknown });
      return event === undefined ? [] : [auditEventSchema.parse(event)];
    });
}

it('a task that goes on in another process has an intent and an outcome in the trail of each', async () => {
  const first = await replica('first');
  const taskId = await call(first);
  await vi.waitFor(() => expect(runs).toHaveLength(1), patience);
  await first.close();
  const second = await replica('second');
  await vi.waitFor(() => expect(runs).toHaveLength(2), patience);
  // Recorded before the work goes on.
  const [intent] = await trailOf('second');
  expect(intent).toMatchObject({ stage: 'intent', taskId, correlationId: 'ref-1' });
  runs[1]?.finish.resolve({ cakes: 3 });
  await vi.waitFor(async () => expect(await trailOf('second')).toHaveLength(2), patience);
  const [, ended] = await trailOf('second');
  expect(ended).toMatchObject({ stage: 'outcome', intentId: intent?.id, result: 'success' });
  expect(ended).not.toHaveProperty('isElsewhere');
  await vi.waitFor(async () => expect(await second.tasks?.settled?.(taskId)).toMatchObject({ id: taskId }));

  await replica('first');
  const [begun, elsewhere, ...others] = await trailOf('first');
  expect([begun, elsewhere]).toMatchObject([
    { stage: 'intent', taskId },
    { stage: 'outcome', intentId: begun?.id, taskId, result: 'success', isElsewhere: true },
  ]);
  expect(others).toEqual([]);
});

it('a task that another process takes ends in the trail of the one that began it, too, while that lives', async () => {
  const first = await replica('first', { runsTasks: false });
  await replica('second');
  const taskId = await call(first);
  await vi.waitFor(() => expect(runs).toHaveLength(1), patience);
  runs[0]?.finish.resolve({ cakes: 3 });
  await vi.waitFor(async () => expect(await trailOf('first')).toHaveLength(2), patience);
  const [begun, elsewhere] = await trailOf('first');
  expect(elsewhere).toMatchObject({ intentId: begun?.id, taskId, result: 'success', isElsewhere: true });
  const [intent, ended] = await trailOf('second');
  expect(ended).toMatchObject({ intentId: intent?.id, taskId, result: 'success' });
});

it.each([
  ['first', 2],
  ['second', 0],
])(
  'an outcome whose process died before it could note it is not recorded again in %s',
  async (successor, count) => {
    const audit = (name: string) =>
      openAuditTrail({
        directory: join(directory, name, '1', 'audit'),
        sinks: [],
        server: { name: 'first', version: '1.0.0' },
        outcomeOfTask: () => 'open',
      });
    const open = async (trail: AuditTrail, store: TaskStore) => {
      const tasks = await openTaskEngine({ store, leaseMs: 400 });
      return { tasks, table: createMethodTable(createCatalog({ tools: [bake] }), { audit: trail, tasks }) };
    };
    const store = openSqliteStore(join(directory, 'tasks.db'));
    const trail = await audit('first');
    const noting = Promise.withResolvers<void>();
    const first = await open(trail, {
      ...store,
      async replace(previous, next) {
        if ('isSettled' in next && next.isSettled) {
          noting.resolve();
          throw new Error('the process is dying');
        }
        return store.replace(previous, next);
      },
    });
    const taskId = await call(first);
    await vi.waitFor(() => expect(runs).toHaveLength(1), patience);
    runs[0]?.finish.resolve({ cakes: 3 });
    await noting.promise;
    await first.tasks.close({ deadlineMs: 0 });
    await trail.close();

    await using next = await audit(successor);
    const second = await open(next, openSqliteStore(join(directory, 'tasks.db')));
    await vi.waitFor(
      async () => expect(await second.tasks.settled(taskId)).toMatchObject({ id: taskId }),
      patience,
    );
    await second.tasks.close();
    expect((await trailOf('first')).map(({ stage }) => stage)).toEqual(['intent', 'outcome']);
    expect(await trailOf(successor)).toHaveLength(count);
  },
);
