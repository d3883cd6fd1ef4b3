import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { openSqliteStore, type TaskStore } from '@mcp-parts/tasks';
import {
  defineTool,
  form,
  PublicError,
  type AuditIntent,
  type AuditOutcome,
  type AuditTrail,
  type CallContext,
  type Caller,
  type Channel,
  type JsonObject,
  type MethodHandler,
  type MethodTable,
  type ToolLimit,
} from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { assembleServer, type AssembleOptions, type Server } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';

const patience = { timeout: 10_000 };
const alice = localCaller({ name: 'alice', permissions: ['bake'] });
const bob = localCaller({ name: 'bob', permissions: ['bake'] });
const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

/** A trail in memory, in the order in which the calls began. */
function recordingAudit() {
  const calls: { readonly intent: AuditIntent; outcome?: AuditOutcome }[] = [];
  const begin: AuditTrail['begin'] = async (intent) => {
    const call: (typeof calls)[number] = { intent };
    calls.push(call);
    return {
      finish: async (outcome) => {
        call.outcome = outcome;
      },
    };
  };
  return { calls, begin };
}

let directory: string;
let audit: ReturnType<typeof recordingAudit>;
let runs: { readonly context: CallContext; readonly finish: PromiseWithResolvers<{ cakes: number }> }[];
const servers: Server[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'long-running-'));
  audit = recordingAudit();
  runs = [];
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ withinMs: 1 })));
  await rm(directory, { recursive: true, force: true });
});

/** A tool that the test ends by hand. */
const bake = defineTool({
  name: 'bake',
  title: 'Bake cakes',
  description: 'Bakes.',
  input: z.strictObject({ cakes: z.number(), key: z.string().optional() }),
  output: z.object({ cakes: z.number() }),
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  permission: 'bake',
  longRunning: { onInterrupted: 'resume', pollIntervalMs: 1_000, idempotencyKey: ({ key }) => key },
  async handle(_input, context) {
    const finish = Promise.withResolvers<{ cakes: number }>();
    context.signal.addEventListener('abort', () => finish.reject(context.signal.reason));
    if (context.signal.aborted) {
      finish.reject(context.signal.reason);
    }
    runs.push({ context, finish });
    return finish.promise;
  },
  text: ({ cakes }) => `${cakes} cakes are done.`,
});

async function serve(options: Partial<AssembleOptions> = {}): Promise<Server> {
  const server = await assembleServer({
    serverInfo: { name: 'bakery', version: '1.0.0' },
    definitions: { tools: [bake] },
    logger: silentLogger,
    stateDirectory: directory,
    ports: { audit },
    ...options,
  });
  servers.push(server);
  return server;
}

type Request = NonNullable<NonNullable<Parameters<MethodHandler>[1]['channel']>['request']>;

// oxlint-disable-next-line typescript/no-explicit-any -- What is in an answer, the test says.
type Reply = Record<string, any>;

/** Sends requests as a client of one era does, with what it declares. */
function client(
  { table }: { readonly table: MethodTable },
  era: '2025' | '2026',
  options: {
    readonly caller?: Caller;
    readonly capabilities?: JsonObject;
    readonly request?: Request;
    readonly retry?: Channel['retry'];
    readonly signal?: AbortSignal;
  } = {},
) {
  const { caller = alice, capabilities = {}, request, retry, signal } = options;
  return async (method: string, params: JsonObject = {}): Promise<Reply> => {
    const handler = table.methods.get(method);
    if (handler === undefined) {
      throw new Error(`no method ${method}`);
    }
    return handler(params, {
      caller,
      signal: signal ?? new AbortController().signal,
      era,
      transport: 'http',
      correlationId: retry === undefined ? 'ref-1' : 'ref-2',
      channel: { meta: {}, capabilities, request, retry, notify() {}, log() {} },
    });
  };
}

const sugar = form('More sugar?', z.object({ spoons: z.number() }));

const call = { name: 'bake', arguments: { cakes: 3 } };
const started = (count = 1) => vi.waitFor(() => expect(runs).toHaveLength(count), patience);
const ended = () => vi.waitFor(() => expect(audit.calls[0]?.outcome).toBeDefined(), patience);

describe('a client of 2026-07-28 that knows tasks', () => {
  it('gets a task, follows it to its result, and the trail has one intent and one outcome', async () => {
    const server = await serve();
    const send = client(server, '2026', { capabilities: TASKS });
    const created = await send('tools/call', call);
    expect(created).toMatchObject({ resultType: 'task', status: 'working', pollIntervalMs: 1_000 });
    const { taskId } = created;
    await started();
    runs[0]?.context.progress(1, 3, 'one is done');
    expect(await send('tasks/get', { taskId })).toMatchObject({
      status: 'working',
      statusMessage: 'one is done',
    });
    expect(audit.calls).toMatchObject([{ intent: { target: 'bake', taskId } }]);
    expect(audit.calls[0]?.outcome).toBeUndefined();
    runs[0]?.context.onUpstreamCall({ upstream: 'oven', outcome: 'ok' });
    runs[0]?.finish.resolve({ cakes: 3 });
    await ended();
    expect(await send('tasks/get', { taskId })).toMatchObject({
      status: 'completed',
      result: { content: [{ text: '3 cakes are done.' }], structuredContent: { cakes: 3 } },
    });
    expect(audit.calls).toMatchObject([
      { outcome: { result: 'success', upstreamCalls: [{ upstream: 'oven' }] } },
    ]);
  });

  it('reads a failure as a completed task with an error in it, and finds a cancelled one cancelled', async () => {
    const server = await serve();
    const send = client(server, '2026', { capabilities: TASKS });
    const { taskId } = await send('tools/call', call);
    await started();
    runs[0]?.finish.reject(new PublicError('burnt', 'It is burnt. Buy one.'));
    await ended();
    expect(await send('tasks/get', { taskId })).toMatchObject({
      status: 'completed',
      result: { isError: true, content: [{ text: 'It is burnt. Buy one.' }] },
    });
    expect(audit.calls[0]?.outcome).toMatchObject({ result: 'failure', reason: 'burnt' });

    const other = await send('tools/call', call);
    await started(2);
    expect(await send('tasks/cancel', { taskId: other['taskId'] })).toEqual({});
    await vi.waitFor(
      async () =>
        expect(await send('tasks/get', { taskId: other['taskId'] })).toMatchObject({ status: 'cancelled' }),
      patience,
    );
    expect(await send('tasks/cancel', { taskId: other['taskId'] })).toEqual({});
  });

  it('is told what it must declare, and what nobody has', async () => {
    const server = await serve();
    const { taskId } = await client(server, '2026', { capabilities: TASKS })('tools/call', call);
    await expect(client(server, '2026')('tasks/get', { taskId })).rejects.toMatchObject({
      code: -32_021,
      data: { requiredCapabilities: TASKS },
    });
    const foreign = client(server, '2026', { caller: bob, capabilities: TASKS });
    for (const method of ['tasks/get', 'tasks/cancel']) {
      await expect(foreign(method, { taskId })).rejects.toMatchObject({ code: -32_602 });
    }
    await expect(foreign('tasks/update', { taskId, inputResponses: {} })).rejects.toMatchObject({
      code: -32_602,
    });
    await expect(foreign('tasks/list')).rejects.toMatchObject({ code: -32_601 });
  });

  it('answers what a task asks', async () => {
    const server = await serve();
    const send = client(server, '2026', { capabilities: { ...TASKS, elicitation: { form: {} } } });
    const { taskId } = await send('tools/call', call);
    await started();
    const answer = runs[0]?.context.ask(sugar);
    await vi.waitFor(
      async () =>
        expect(await send('tasks/get', { taskId })).toMatchObject({
          status: 'input_required',
          inputRequests: { 'question-1': { method: 'elicitation/create' } },
        }),
      patience,
    );
    const inputResponses = { 'question-1': { action: 'accept', content: { spoons: 2 } }, other: {} };
    expect(await send('tasks/update', { taskId, inputResponses })).toEqual({});
    await expect(answer).resolves.toEqual({ outcome: 'accepted', value: { spoons: 2 } });
  });
});

describe('a long-running tool that a person has to confirm', () => {
  const confirmed = { ...bake, confirm: () => ({ message: 'Bake them?' }) };
  const answering = (content: JsonObject): Request => {
    return async () => ({ outcome: 'result', result: { action: 'accept', content } });
  };
  const capabilities = { elicitation: { form: {} } };

  it('asks before there is a task, and its outcome has the id of the yes', async () => {
    const server = await serve({ definitions: { tools: [confirmed] } });
    const request = answering({ confirm: true });
    await client(server, '2025', { capabilities, request })('tools/call', call);
    await started();
    runs[0]?.finish.resolve({ cakes: 3 });
    await ended();
    expect(audit.calls).toMatchObject([
      { outcome: { result: 'success', confirmationId: expect.stringMatching(/^[\da-f-]{36}$/u) } },
    ]);
  });

  it('has one event pair with the id of its task, and one for each run that asked, all under one reference', async () => {
    const server = await serve({ definitions: { tools: [confirmed] } });
    const asked = await client(server, '2026', { capabilities })('tools/call', call);
    const [key = ''] = Object.keys(asked['inputRequests'] as JsonObject);
    const answers = { [key]: { action: 'accept', content: { confirm: true } } };
    const retry = { state: asked['requestState'], answers };
    const answer = await client(server, '2026', { capabilities, retry })('tools/call', call);
    const { taskId } = answer['structuredContent'] as JsonObject;
    await started();
    runs[0]?.finish.resolve({ cakes: 3 });
    await vi.waitFor(() => expect(audit.calls[1]?.outcome).toBeDefined(), patience);
    expect(audit.calls.map(({ intent, outcome }) => [intent.taskId === taskId, outcome?.reason])).toEqual([
      [false, 'input_required'],
      [true, undefined],
    ]);
    expect(audit.calls.map(({ intent }) => intent.correlationId)).toEqual(['ref-1', 'ref-1']);
    expect(audit.calls[1]?.outcome?.confirmationId).toBeDefined();
  });

  it('starts no task without it', async () => {
    const server = await serve({ definitions: { tools: [confirmed] } });
    const request = answering({ confirm: false });
    expect(await client(server, '2025', { capabilities, request })('tools/call', call)).toMatchObject({
      isError: true,
    });
    const { tasks } = await client(server, '2025')('tasks/list');
    expect(tasks).toEqual([]);
    expect(audit.calls).toMatchObject([{ outcome: { reason: 'confirmation_declined' } }]);
  });
});

describe('a client of 2025-11-25', () => {
  it('gets a task when it asks for one, waits for its result, and lists what is its own', async () => {
    const server = await serve();
    const send = client(server, '2025');
    const { task } = await send('tools/call', { ...call, task: { ttl: 60_000 } });
    expect(task).toMatchObject({ status: 'working', pollInterval: 1_000 });
    const result = send('tasks/result', { taskId: task.taskId });
    await started();
    runs[0]?.finish.resolve({ cakes: 3 });
    expect(await result).toMatchObject({
      structuredContent: { cakes: 3 },
      _meta: { 'io.modelcontextprotocol/related-task': { taskId: task.taskId } },
    });
    expect(await send('tasks/get', { taskId: task.taskId })).toMatchObject({ status: 'completed' });
    expect(await send('tasks/list')).toMatchObject({ tasks: [{ taskId: task.taskId }] });
    expect(await client(server, '2025', { caller: bob })('tasks/list')).toEqual({ tasks: [] });
    await expect(send('tasks/cancel', { taskId: task.taskId })).rejects.toMatchObject({ code: -32_602 });
    await expect(send('tasks/update', { taskId: task.taskId, inputResponses: {} })).rejects.toMatchObject({
      code: -32_601,
    });
  });

  it('is asked while it waits for the result', async () => {
    const server = await serve();
    const asked: unknown[] = [];
    const send = client(server, '2025', {
      capabilities: { elicitation: {} },
      request: async (method, params) => {
        asked.push([method, params['_meta']]);
        return { outcome: 'result', result: { action: 'accept', content: { spoons: 3 } } };
      },
    });
    const { task } = await send('tools/call', { ...call, task: {} });
    await started();
    const answer = runs[0]?.context.ask(sugar);
    const result = send('tasks/result', { taskId: task.taskId });
    await expect(answer).resolves.toEqual({ outcome: 'accepted', value: { spoons: 3 } });
    expect(asked).toEqual([
      ['elicitation/create', { 'io.modelcontextprotocol/related-task': { taskId: task.taskId } }],
    ]);
    runs[0]?.finish.resolve({ cakes: 1 });
    await result;
  });

  it('sees a failed tool as a failed task, and a cancelled task cancelled at once', async () => {
    const server = await serve();
    const send = client(server, '2025');
    const { task } = await send('tools/call', { ...call, task: {} });
    await started();
    runs[0]?.finish.reject(new PublicError('burnt', 'It is burnt.'));
    expect(await send('tasks/result', { taskId: task.taskId })).toMatchObject({ isError: true });
    expect(await send('tasks/get', { taskId: task.taskId })).toMatchObject({ status: 'failed' });
    const other = (await send('tools/call', { ...call, task: {} }))['task'];
    await started(2);
    expect(await send('tasks/cancel', { taskId: other.taskId })).toMatchObject({ status: 'cancelled' });
  });
});

describe.each(['2025', '2026'] as const)('a client of %s that knows no tasks', (era) => {
  it('follows and stops a task with the tools beside it', async () => {
    const server = await serve();
    const send = client(server, era);
    const tool = async (name: string, args: JsonObject): Promise<Record<string, unknown>> => {
      const { content, structuredContent } = await send('tools/call', { name, arguments: args });
      return { text: JSON.stringify(content), ...structuredContent };
    };
    const { tools } = await send('tools/list');
    expect(tools.map((tool: { readonly name: string }) => tool.name)).toEqual([
      'bake',
      'bake_status',
      'bake_cancel',
    ]);
    const { taskId, text } = await tool('bake', { cakes: 3 });
    expect(text).toContain('Call bake_status in 1 s');
    await started();
    expect(await tool('bake_status', { taskId: String(taskId) })).toMatchObject({
      state: 'running',
      what: 'Bake cakes',
    });
    runs[0]?.finish.resolve({ cakes: 3 });
    await vi.waitFor(
      async () =>
        expect(await tool('bake_status', { taskId: String(taskId) })).toMatchObject({
          state: 'completed',
          message: '3 cakes are done.',
        }),
      patience,
    );
    const second = await tool('bake', { cakes: 1 });
    await started(2);
    expect(await tool('bake_cancel', { taskId: String(second['taskId']), reason: 'no flour' })).toMatchObject(
      {
        state: 'being cancelled',
      },
    );
    await vi.waitFor(
      async () =>
        expect(await tool('bake_status', { taskId: String(second['taskId']) })).toMatchObject({
          state: 'cancelled',
        }),
      patience,
    );
  });
});

it('gives a repeated call the same task, and the repetition an outcome of its own', async () => {
  const server = await serve();
  const send = client(server, '2026', { capabilities: TASKS });
  const repeated = { name: 'bake', arguments: { cakes: 3, key: 'birthday' } };
  const first = await send('tools/call', repeated);
  const second = await send('tools/call', repeated);
  expect(second['taskId']).toBe(first['taskId']);
  expect(audit.calls.map(({ outcome }) => outcome?.result)).toEqual([undefined, 'success']);
  const other = await send('tools/call', { name: 'bake', arguments: { cakes: 4, key: 'birthday' } });
  expect(other).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('Use a new key') }],
  });
});

it('says that it does not know whether the task was started, and how to find out', async () => {
  const store = openSqliteStore(':memory:');
  const taskStore: TaskStore = {
    ...store,
    async insert(...given) {
      await store.insert(...given);
      throw Object.assign(new Error('no reply'), { code: 'unavailable', mayBeDone: true });
    },
  };
  const server = await serve({ ports: { audit, taskStore } });
  const send = client(server, '2025');
  const answer = await send('tools/call', call);
  const [taskId = ''] = /[\da-f]{8}-[\da-f-]{27}/u.exec(JSON.stringify(answer)) ?? [];
  expect(answer).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining(`Call bake_status with taskId ${taskId}`) }],
  });
  expect(audit.calls[0]).toMatchObject({
    intent: { taskId },
    outcome: { result: 'unknown', reason: 'start_unknown' },
  });
  await started();
  expect(await send('tools/call', { name: 'bake_status', arguments: { taskId } })).toMatchObject({
    structuredContent: { state: 'running' },
  });
});

it('does not say that nothing was done when it is cancelled while its task is stored', async () => {
  const store = openSqliteStore(':memory:');
  const [stored, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const taskStore: TaskStore = {
    ...store,
    async insert(...given) {
      const insertion = await store.insert(...given);
      stored.resolve();
      await goOn.promise;
      return insertion;
    },
  };
  const server = await serve({ ports: { audit, taskStore } });
  const gone = new AbortController();
  const answer = client(server, '2025', { signal: gone.signal })('tools/call', call);
  await stored.promise;
  gone.abort();
  expect(JSON.stringify(await answer)).toContain('It may or may not have taken effect');
  expect(audit.calls[0]?.outcome).toMatchObject({ result: 'unknown', reason: 'cancelled' });
  goOn.resolve();
});

describe('a tool with a number of places', () => {
  const tooMany = {
    isError: true,
    content: [{ text: expect.stringContaining('Too many calls of this tool') }],
  };
  const limited = (limit: ToolLimit) => ({ definitions: { tools: [{ ...bake, limit }] } });

  it('has no more tasks than places, and answers all else meanwhile', async () => {
    const server = await serve({ ...limited({ concurrent: 1 }), maxConcurrentCalls: 1 });
    const send = client(server, '2026', { capabilities: TASKS });
    const tool = client(server, '2025');
    const { taskId } = await send('tools/call', call);
    await started();
    expect(await send('tools/call', call)).toMatchObject(tooMany);
    expect(await tool('tools/call', call)).toMatchObject(tooMany);
    expect(audit.calls[1]?.outcome).toMatchObject({ result: 'denied', reason: 'concurrency_limited' });
    expect(
      await tool('tools/call', { name: 'bake_status', arguments: { taskId: String(taskId) } }),
    ).not.toHaveProperty('isError');
    expect(
      await client(server, '2026', { caller: bob, capabilities: TASKS })('tools/call', call),
    ).toMatchObject({ resultType: 'task' });

    runs[0]?.finish.resolve({ cakes: 3 });
    await ended();
    const next = await send('tools/call', call);
    expect(next).toMatchObject({ resultType: 'task' });
    await started(3);
    expect(await send('tools/call', call)).toMatchObject(tooMany);
    await send('tasks/cancel', { taskId: next['taskId'] });
    await vi.waitFor(
      async () => expect(await send('tools/call', call)).toMatchObject({ resultType: 'task' }),
      patience,
    );
  });

  it('counts those of all callers, and those that wait in the queue', async () => {
    const server = await serve({ ...limited({ total: { concurrent: 2 } }), tasks: { concurrency: 1 } });
    const send = client(server, '2026', { capabilities: TASKS });
    const other = client(server, '2026', { caller: bob, capabilities: TASKS });
    await send('tools/call', call);
    await started();
    const { taskId } = await other('tools/call', call);
    expect(await send('tools/call', call)).toMatchObject(tooMany);
    await other('tasks/cancel', { taskId });
    await vi.waitFor(
      async () => expect(await send('tools/call', call)).toMatchObject({ resultType: 'task' }),
      patience,
    );
  });

  it('tells a repeated call of its task where no place is left, and frees none by it', async () => {
    const server = await serve(limited({ concurrent: 1 }));
    const send = client(server, '2026', { capabilities: TASKS });
    const repeated = { name: 'bake', arguments: { cakes: 3, key: 'birthday' } };
    const { taskId } = await send('tools/call', repeated);
    await started();
    expect(await send('tools/call', repeated)).toMatchObject({ resultType: 'task', taskId });
    expect(await send('tools/call', call)).toMatchObject(tooMany);
    runs[0]?.finish.resolve({ cakes: 3 });
    await ended();
    // The task that has ended needs no place.
    expect(await send('tools/call', repeated)).toMatchObject({ taskId });
    expect(await send('tools/call', call)).toMatchObject({ resultType: 'task' });
  });

  it('gives it to a task that goes on in the next process', async () => {
    const first = await serve(limited({ concurrent: 1 }));
    await client(first, '2026', { capabilities: TASKS })('tools/call', call);
    await started();
    await first.close({ withinMs: 1 });
    const second = await serve(limited({ concurrent: 1 }));
    await started(2);
    const send = client(second, '2026', { capabilities: TASKS });
    expect(await send('tools/call', call)).toMatchObject(tooMany);
    runs[1]?.finish.resolve({ cakes: 3 });
    await vi.waitFor(
      async () => expect(await send('tools/call', call)).toMatchObject({ resultType: 'task' }),
      patience,
    );
  });
});

it('has the limits of tasks that it is given', async () => {
  const server = await serve({ tasks: { maxRunningPerOwner: 1, maxQueuedPerOwner: 1, ttlMs: 60_000 } });
  const send = client(server, '2026', { capabilities: TASKS });
  expect(await send('tools/call', call)).toMatchObject({ resultType: 'task', ttlMs: 60_000 });
  await started();
  expect(await send('tools/call', call)).toMatchObject({ resultType: 'task' });
  expect(await send('tools/call', call)).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('Too many of your tasks are waiting') }],
  });
  await expect(serve({ tasks: { leaseMs: 1 } })).rejects.toThrow('leaseMs');
});

it('decides again when the work really starts: a right that was lost meanwhile deploys nothing', async () => {
  let isAllowed = true;
  const authorizer: AssembleOptions['authorizer'] = {
    decide: () =>
      isAllowed ? { allowed: true, rule: 'test' } : { allowed: false, reason: 'missing_group', rule: 'test' },
  };
  const server = await serve({ authorizer });
  const send = client(server, '2026', { capabilities: TASKS });
  // As many as one caller may run at once.
  for (let count = 1; count <= 5; count += 1) {
    await send('tools/call', call);
  }
  await started(5);
  const waiting = await send('tools/call', call);
  isAllowed = false;
  runs[0]?.finish.resolve({ cakes: 3 });
  await vi.waitFor(() => expect(audit.calls[5]?.outcome).toBeDefined(), patience);
  expect(audit.calls[5]?.outcome).toMatchObject({ result: 'denied', reason: 'missing_group' });
  expect(runs).toHaveLength(5);
  expect(await send('tasks/get', { taskId: waiting['taskId'] })).toMatchObject({
    status: 'completed',
    result: { isError: true, content: [{ text: expect.stringContaining('Not allowed') }] },
  });
});

it('goes on in the next server with the same task when one is stopped, and is recorded once', async () => {
  const server = await serve();
  const { taskId } = await client(server, '2026', { capabilities: TASKS })('tools/call', call);
  await started();
  await server.close();
  const next = await serve();
  await started(2);
  expect(runs[1]?.context.task).toMatchObject({ id: taskId, attempt: 2 });
  runs[1]?.finish.resolve({ cakes: 3 });
  await vi.waitFor(
    async () =>
      expect(await client(next, '2026', { capabilities: TASKS })('tasks/get', { taskId })).toMatchObject({
        status: 'completed',
      }),
    patience,
  );
});
