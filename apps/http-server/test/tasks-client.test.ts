import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { auditOf, mcpResource } from '@mcp-parts/sandbox/testing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  createTaskSessionFromClient,
  resultFromTaskOutcome,
  TaskCancelledError,
  toolDeclarationFromMcpTool,
  type RawClientDispatch,
  type TaskEnabledSession,
} from '@modelcontextprotocol/ext-tasks/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { startServer, tokenFor, type TestServer } from './http-server.ts';

const patiently = { timeout: 30_000 };
const REVISION = '2026-07-28';
/** Only the older revision lets a client say so. */
const asTask = { task: { preference: 'prefer' } } as const;
const clientInfo = { name: 'tasks-client', version: '1.0.0' };

let sandbox: Sandbox;
let server: TestServer;
let token: string;
beforeAll(async () => {
  // Long enough to be looked at, and to be stopped.
  sandbox = await startSandbox({ mcpResource, deploymentStepMs: 500 });
  server = await startServer(sandbox);
  token = await tokenFor(sandbox, 'developer');
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox.close();
});

/** The official client of tasks, and the methods that it sends beside those of the SDK. */
async function connect(generation: '2025-11-25' | '2026-07-28') {
  const isModern = generation === REVISION;
  const client = new Client(clientInfo, {
    versionNegotiation: { mode: isModern ? { pin: REVISION } : 'legacy' },
  });
  const sent: string[] = [];
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
      fetch(url, init) {
        sent.push(...methodsOf(init?.body));
        return fetch(url, init);
      },
    }),
  );
  const { tools } = await client.listTools();
  const declarations = new Map(tools.map((tool) => [tool.name, toolDeclarationFromMcpTool(tool)]));
  const session: TaskEnabledSession = createTaskSessionFromClient(client, {
    endpointId: server.url,
    tools: { currentTool: (name) => declarations.get(name) },
    ...(isModern && {
      rawDispatch: dispatchTo(server.url, sent),
      v2RequestFraming: { protocolVersion: REVISION, clientInfo, clientCapabilities: {} },
    }),
  });
  return {
    session,
    sent,
    async [Symbol.asyncDispose]() {
      await session.close();
      await client.close();
    },
  };
}

/** What the SDK's own client of 2026-07-28 does not send: its schemas know no tasks. */
function dispatchTo(url: string, sent: string[]): RawClientDispatch {
  let id = 0;
  return async (request, options) => {
    id += 1;
    const { method, params } = request as {
      readonly method: string;
      readonly params: Record<string, unknown>;
    };
    sent.push(method);
    const headers = new Headers({
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': REVISION,
      'mcp-method': method,
      'mcp-name': String(params['name'] ?? params['taskId']),
    });
    for (const [name, value] of Object.entries(options?.context?.headers ?? {})) {
      headers.set(name, value);
    }
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
      ...(options?.signal && { signal: options.signal }),
    });
    const { result, error } = (await response.json()) as {
      readonly result?: never;
      readonly error?: { readonly code: number; readonly message: string };
    };
    return error === undefined ? { kind: 'result', result: result ?? {} } : { kind: 'error', error };
  };
}

function methodsOf(body: unknown): readonly string[] {
  const { method } = (typeof body === 'string' ? JSON.parse(body) : {}) as { readonly method?: string };
  return method === undefined ? [] : [method];
}

const generations = [
  { generation: '2025-11-25', service: 'payment-service', version: '2.5.0' },
  { generation: '2026-07-28', service: 'pricing-service', version: '4.4.0' },
] as const;

describe.each(generations)(
  'the official client of tasks, in $generation',
  ({ generation, service, version }) => {
    const target = { service, version, environment: 'staging' };

    it('deploys: creates the task, polls it and has the result', async () => {
      await using client = await connect(generation);
      const execution = await client.session.callTool('trigger_deployment', target, asTask);
      if (execution.kind !== 'task') {
        throw new TypeError('a deployment must be a task');
      }
      const { taskId } = execution.handle;
      expect(await client.session.task(taskId).snapshot()).toMatchObject({ taskId, status: 'working' });
      const seen: string[] = [];
      const { outcome, lastTask } = await execution.settle({
        onEvent: (event) => void (event.type === 'task' && seen.push(event.task.status)),
      });
      expect(resultFromTaskOutcome(outcome)).toMatchObject({
        structuredContent: { service, version, regions: [expect.anything(), expect.anything()] },
      });
      expect(seen[0]).toBe('working');
      expect(lastTask).toMatchObject({
        status: 'completed',
        retentionMs: 604_800_000,
        suggestedPollIntervalMs: 5_000,
      });
      expect(client.sent.includes('tasks/result')).toBe(generation === '2025-11-25');
      await vi.waitFor(() => {
        const recorded = auditOf(sandbox, { resource: `${service}/staging`, target: 'trigger_deployment' });
        expect(recorded.map(({ stage, result }) => result ?? stage)).toEqual(['intent', 'success']);
      }, patiently);
    }, 60_000);

    it('stops a deployment, which is over for both sides', async () => {
      await using client = await connect(generation);
      const execution = await client.session.callTool(
        'trigger_deployment',
        {
          ...target,
          environment: 'development',
        },
        asTask,
      );
      if (execution.kind !== 'task') {
        throw new TypeError('a deployment must be a task');
      }
      const { taskId } = execution.handle;
      await vi.waitFor(() => {
        const created = sandbox.requests('deployments').map(({ headers }) => headers['idempotency-key']);
        expect(created).toContain(`${taskId}.eu-central`);
      }, patiently);
      await execution.cancel();
      const { outcome } = await execution.settle();
      expect(outcome.status).toBe('cancelled');
      expect(() => resultFromTaskOutcome(outcome)).toThrow(TaskCancelledError);
      await vi.waitFor(async () => {
        await using other = await connect(generation);
        expect(await other.session.task(taskId).snapshot()).toMatchObject({ taskId, status: 'cancelled' });
      }, patiently);
    }, 60_000);
  },
);
