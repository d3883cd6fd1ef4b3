import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { accepted, defineTool, form, RpcError, type JsonObject } from '@mcp-parts/tool-kit';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateTaskResultSchema,
  ElicitRequestSchema,
  ResultSchema,
  TaskStatusNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { createMcpApp } from '../src/endpoint.ts';
import { assembleServer } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';

const patience = { timeout: 10_000 };
const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const META = 'io.modelcontextprotocol';

const closers: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) {
    await close();
  }
});

const common = {
  description: 'Bakes.',
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  permission: 'bake',
} as const;

/** Tools that a test ends by hand, on a server whose callers are who their key says. */
async function startBakery() {
  const runs: PromiseWithResolvers<string>[] = [];
  const input = z.strictObject({ cakes: z.number().optional() });
  const handle = async ({ cakes }: { readonly cakes?: number | undefined }) => {
    const run = Promise.withResolvers<string>();
    runs.push(run);
    return `${await run.promise}: ${cakes}`;
  };
  const bake = defineTool({ ...common, name: 'bake', input, longRunning: { pollIntervalMs: 500 }, handle });
  const only = { pollIntervalMs: 500, taskSupport: 'required' } as const;
  const bakeOnly = defineTool({ ...common, name: 'bake_only', input, longRunning: only, handle });
  const ask = defineTool({
    ...common,
    name: 'ask_first',
    input,
    longRunning: {
      async prepare({ cakes }, context) {
        const question = form('How many?', z.object({ cakes: z.number() }));
        return cakes === undefined ? accepted(await context.ask(question)) : { cakes };
      },
    },
    handle,
  });
  const stateDirectory = await mkdtemp(join(tmpdir(), 'bakery-'));
  const server = await assembleServer({
    serverInfo: { name: 'bakery', version: '1.0.0' },
    definitions: { tools: [bake, bakeOnly, ask] },
    logger: silentLogger,
    stateDirectory,
  });
  const app = createMcpApp(server.table, {
    serverInfo: { name: 'bakery', version: '1.0.0' },
    authenticate: ({ headers }) => localCaller({ name: String(headers['x-api-key']), permissions: ['bake'] }),
  });
  const http = createServer((request, response) => void app.node(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  closers.push(async () => {
    await app.close();
    http.closeAllConnections();
    http.close();
    await server.close({ withinMs: 1 });
    await rm(stateDirectory, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  const started = (count: number) => vi.waitFor(() => expect(runs).toHaveLength(count), patience);
  return { app, url, runs, started };
}

// oxlint-disable-next-line typescript/no-explicit-any -- What is in an answer, the test says.
type Message = Record<string, any>;

/** A client of 2026-07-28 over plain HTTP, so that a test sees each message. */
function client2026(url: string, key: string, capabilities: JsonObject = TASKS) {
  let id = 0;
  const open = (method: string, params: JsonObject, signal?: AbortSignal) => {
    id += 1;
    const name = params['taskId'] ?? params['name'];
    const _meta = { [`${META}/protocolVersion`]: '2026-07-28', [`${META}/clientCapabilities`]: capabilities };
    return fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'x-api-key': key,
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(typeof name === 'string' && { 'mcp-name': name }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } }),
      ...(signal && { signal }),
    });
  };
  return {
    async send(method: string, params: JsonObject): Promise<Message> {
      const response = await open(method, params);
      return { status: response.status, ...((await response.json()) as Message) };
    },
    /** Everything that is heard of these tasks. */
    listen(taskIds: readonly string[]): Message[] {
      const heard: Message[] = [];
      const gone = new AbortController();
      closers.push(async () => gone.abort());
      const read = async () => {
        const { body } = await open('subscriptions/listen', { notifications: { taskIds } }, gone.signal);
        let text = '';
        for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
          text += chunk;
          const events = text.split('\n\n');
          text = events.pop() ?? '';
          heard.push(
            ...events.flatMap((event) => {
              const data = event.split('\n').find((line) => line.startsWith('data: {'));
              return data === undefined ? [] : [JSON.parse(data.slice('data: '.length)) as Message];
            }),
          );
        }
      };
      read().catch((error: unknown) => {
        if (!gone.signal.aborted) {
          throw error;
        }
      });
      return heard;
    },
  };
}

/** The client of the 1.x SDK, and the states of tasks that it hears of. */
async function client2025(
  { app, url }: Awaited<ReturnType<typeof startBakery>>,
  key: string,
  answer?: JsonObject,
) {
  const heard: string[] = [];
  const client = new Client(
    { name: 'bakery-client', version: '1.0.0' },
    { capabilities: answer === undefined ? {} : { elicitation: { form: {} } } },
  );
  client.setNotificationHandler(
    TaskStatusNotificationSchema,
    ({ params }) => void heard.push(`${params.taskId} ${params.status}`),
  );
  if (answer !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { ...answer } }));
  }
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { 'x-api-key': key } },
  });
  const before = app.open().streams;
  await client.connect(transport);
  await vi.waitFor(() => expect(app.open().streams).toBeGreaterThan(before), patience);
  closers.push(() => client.close());
  const create = async (name: string, args: JsonObject) => {
    const params = { name, arguments: args, task: { ttl: 60_000 } };
    return (await client.request({ method: 'tools/call', params }, CreateTaskResultSchema)).task;
  };
  return { client, heard, create };
}

const call = { name: 'bake', arguments: { cakes: 3 } };

it('tells a client of 2026-07-28 of its tasks that it listens to, and nobody else', async () => {
  const { url, runs, started } = await startBakery();
  const ann = client2026(url, 'ann');
  const { result: created } = await ann.send('tools/call', call);
  const { taskId } = created;
  expect(created).toMatchObject({ ttlMs: 604_800_000, pollIntervalMs: 500 });
  await started(1);
  const hers = ann.listen([taskId, 'no-such-task']);
  const bobs = client2026(url, 'bob').listen([taskId]);
  const deaf = await client2026(url, 'ann', {}).send('subscriptions/listen', {
    notifications: { taskIds: [taskId] },
  });
  expect(deaf).toMatchObject({
    status: 400,
    error: { code: -32_021, data: { requiredCapabilities: TASKS } },
  });
  await vi.waitFor(() => expect(hers).toHaveLength(2), patience);
  runs[0]?.resolve('done');
  await vi.waitFor(() => expect(hers.at(-1)?.['params']).toMatchObject({ status: 'completed' }), patience);
  expect(hers[0]).toMatchObject({
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { taskIds: [taskId] } },
  });
  const told = hers.slice(1);
  expect(new Set(told.map(({ method }) => method))).toEqual(new Set(['notifications/tasks']));
  expect(told.map(({ params }) => params._meta[`${META}/subscriptionId`])).toEqual(
    told.map(() => hers[0]?.['params']._meta[`${META}/subscriptionId`]),
  );
  expect(told.at(-1)?.['params']).toMatchObject({
    taskId,
    ttlMs: 604_800_000,
    pollIntervalMs: 500,
    result: { content: [{ text: 'done: 3' }] },
  });
  // Of what is not his he can hear nothing, so that his stream has ended.
  await vi.waitFor(() => expect(bobs).toHaveLength(2), patience);
  expect(bobs[0]?.['params'].notifications).toEqual({});
  expect(bobs[1]?.['result']).toMatchObject({ resultType: 'complete' });
});

it('tells a session of 2025-11-25 how its tasks get on, and no other session', async () => {
  const bakery = await startBakery();
  const ann = await client2025(bakery, 'ann');
  const bob = await client2025(bakery, 'bob');
  const hers = await ann.create('bake', { cakes: 1 });
  expect(hers).toMatchObject({ status: 'working', ttl: 604_800_000, pollInterval: 500 });
  await bakery.started(1);
  const his = await bob.create('bake', { cakes: 2 });
  await bakery.started(2);
  bakery.runs[0]?.resolve('done');
  await vi.waitFor(() => expect(ann.heard).toEqual([`${hers.taskId} completed`]), patience);
  await bob.client.request({ method: 'tasks/cancel', params: { taskId: his.taskId } }, ResultSchema);
  await vi.waitFor(() => expect(bob.heard).toEqual([`${his.taskId} cancelled`]), patience);
  expect(ann.heard).toHaveLength(1);
  const listed = async ({ client }: typeof ann) => {
    const { tasks } = await client.request(
      { method: 'tasks/list' },
      z.looseObject({ tasks: z.array(z.looseObject({ taskId: z.string() })) }),
    );
    return tasks.map(({ taskId }) => taskId);
  };
  expect(await listed(ann)).toEqual([hers.taskId]);
  expect(await listed(bob)).toEqual([his.taskId]);
  bakery.runs[1]?.resolve('done all the same');
});

it('lets only clients that know tasks call what is a task or nothing, and makes no tools beside it', async () => {
  const bakery = await startBakery();
  const { client, create } = await client2025(bakery, 'ann');
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    'bake',
    'bake_status',
    'bake_cancel',
    'bake_only',
    'ask_first',
    'ask_first_status',
    'ask_first_cancel',
  ]);
  expect(tools.map(({ execution }) => execution?.taskSupport)).toEqual([
    'optional',
    undefined,
    undefined,
    'required',
    'optional',
    undefined,
    undefined,
  ]);
  const params = { name: 'bake_only', arguments: { cakes: 1 } };
  await expect(client.request({ method: 'tools/call', params }, ResultSchema)).rejects.toMatchObject({
    code: -32_601,
  });
  await expect(create('bake_only', { cakes: 1 })).resolves.toMatchObject({ status: 'working' });
  expect(await client2026(bakery.url, 'ann', {}).send('tools/call', params)).toMatchObject({
    status: 400,
    error: { code: -32_021, data: { requiredCapabilities: TASKS } },
  });
  const { result } = await client2026(bakery.url, 'ann').send('tools/call', params);
  expect(result).toMatchObject({ resultType: 'task' });
  await bakery.started(2);
  bakery.runs.forEach((run) => run.resolve('done'));
});

it('asks for what is missing before there is a task, and starts it with the answer', async () => {
  const bakery = await startBakery();
  const ann = client2026(bakery.url, 'ann', { ...TASKS, elicitation: { form: {} } });
  const asking = { name: 'ask_first', arguments: {} };
  const { result: first } = await ann.send('tools/call', asking);
  expect(first).toMatchObject({ resultType: 'input_required' });
  expect(first).not.toHaveProperty('taskId');
  const [key = ''] = Object.keys(first.inputRequests);
  const inputResponses = { [key]: { action: 'accept', content: { cakes: 7 } } };
  const { requestState } = first;
  const { result: created } = await ann.send('tools/call', { ...asking, inputResponses, requestState });
  expect(created).toMatchObject({ resultType: 'task', status: 'working' });
  await bakery.started(1);
  bakery.runs[0]?.resolve('done');
  await vi.waitFor(async () => {
    const { result } = await ann.send('tasks/get', { taskId: created.taskId });
    expect(result).toMatchObject({ status: 'completed', result: { content: [{ text: 'done: 7' }] } });
  }, patience);

  const bob = await client2025(bakery, 'bob', { cakes: 8 });
  const { taskId } = await bob.create('ask_first', {});
  await bakery.started(2);
  bakery.runs[1]?.resolve('done');
  const result = await bob.client.request({ method: 'tasks/result', params: { taskId } }, ResultSchema);
  expect(result).toMatchObject({ content: [{ text: 'done: 8' }] });
});

it('ends a task as failed, with the error and no result, when its handler throws an error of JSON-RPC', async () => {
  const bakery = await startBakery();
  const ann = client2026(bakery.url, 'ann');
  const { result: created } = await ann.send('tools/call', call);
  await bakery.started(1);
  const error = { code: -32_050, message: 'The oven is gone.', data: { oven: 2 } };
  bakery.runs[0]?.reject(new RpcError(error.code, error.message, error.data));
  const { taskId } = created;
  await vi.waitFor(async () => {
    const { result } = await ann.send('tasks/get', { taskId });
    expect(result).toMatchObject({ status: 'failed', error, statusMessage: error.message });
    expect(result).not.toHaveProperty('result');
  }, patience);

  const bob = await client2025(bakery, 'bob');
  const his = await bob.create('bake', { cakes: 1 });
  await bakery.started(2);
  bakery.runs[1]?.reject(new RpcError(error.code, error.message, error.data));
  const params = { taskId: his.taskId };
  await expect(bob.client.request({ method: 'tasks/result', params }, ResultSchema)).rejects.toMatchObject({
    code: error.code,
    data: error.data,
  });
  await vi.waitFor(() => expect(bob.heard).toEqual([`${his.taskId} failed`]), patience);
});
