import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { assembleServer } from '@mcp-parts/server-kit';
import { createMcpApp } from '@mcp-parts/server-kit/endpoint';
import { accepted, defineTool, form } from '@mcp-parts/tool-kit';
import {
  resultFromTaskOutcome,
  type ApplicationInputHandler,
  type ApplicationInputRequest,
} from '@modelcontextprotocol/ext-tasks/client';
import { expect, it } from 'vitest';
import { z } from 'zod';

import { connectTasksClient } from './tasks-client.ts';

const serverInfo = { name: 'bakery', version: '1.0.0' };
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A server whose task asks two things, one after the other, while it runs. */
async function startBakery() {
  const stack = new AsyncDisposableStack();
  const stateDirectory = await mkdtemp(join(tmpdir(), 'bakery-'));
  stack.defer(() => rm(stateDirectory, { recursive: true, force: true }));
  const bake = defineTool({
    name: 'bake',
    description: 'Bakes.',
    input: z.strictObject({}),
    output: z.object({ cakes: z.number(), topping: z.string() }),
    annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
    permission: 'bake',
    longRunning: { pollIntervalMs: 100 },
    async handle(_input, { ask }) {
      const { cakes } = accepted(await ask(form('How many?', z.object({ cakes: z.number() }))));
      const { topping } = accepted(
        await ask(form(`What is on the ${cakes}?`, z.object({ topping: z.string() }))),
      );
      return { cakes, topping };
    },
  });
  const server = await assembleServer({ serverInfo, definitions: { tools: [bake] }, logger, stateDirectory });
  stack.defer(() => server.close({ withinMs: 1 }));
  const app = createMcpApp(server.table, {
    serverInfo,
    authenticate: () => localCaller({ name: 'ada', permissions: ['bake'] }),
  });
  const http = createServer((request, response) => void app.node(request, response));
  stack.defer(async () => {
    await app.close();
    http.closeAllConnections();
    http.close();
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  return { url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

// In 2025-11-25 this client (0.2.2) only polls; one that is to be asked there waits in `tasks/result`, which its SDK's does.
it('the official client of tasks, in 2026-07-28, answers what a task asks while it runs, and has the result', async () => {
  await using bakery = await startBakery();
  const asked: ApplicationInputRequest[] = [];
  const answers = [{ cakes: 3 }, { topping: 'cherries' }];
  const onInputRequest = async (request: ApplicationInputRequest) => {
    asked.push(request);
    return { action: 'accept', content: answers[asked.length - 1] };
  };
  await using client = await connectTasksClient({
    url: bakery.url,
    generation: '2026-07-28',
    headers: {},
    // What it returns depends on what it is asked, and it is asked for forms only.
    onInputRequest: onInputRequest as ApplicationInputHandler['handle'],
  });
  const execution = await client.session.callTool('bake', {});
  expect(execution.kind).toBe('task');
  const seen: string[] = [];
  const { outcome } = await execution.settle({
    onEvent: (event) => void (event.type === 'task' && seen.push(event.task.status)),
  });
  expect(resultFromTaskOutcome(outcome)).toMatchObject({
    structuredContent: { cakes: 3, topping: 'cherries' },
  });
  expect(asked).toMatchObject([
    { kind: 'elicitation', params: { message: 'How many?' } },
    { kind: 'elicitation', params: { message: 'What is on the 3?' } },
  ]);
  expect(seen).toContain('input_required');
  expect(client.sent.filter((method) => method === 'tasks/update')).toHaveLength(2);
});
