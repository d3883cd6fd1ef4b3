import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { auditOf, mcpResource } from '@mcp-parts/sandbox/testing';
import { resultFromTaskOutcome, TaskCancelledError } from '@modelcontextprotocol/ext-tasks/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { startServer, tokenFor, type TestServer } from './http-server.ts';
import { connectTasksClient } from './tasks-client.ts';

const patiently = { timeout: 30_000 };
/** Only the older revision lets a client say so. */
const asTask = { task: { preference: 'prefer' } } as const;

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

const connect = (generation: '2025-11-25' | '2026-07-28') =>
  connectTasksClient({ url: server.url, generation, headers: { authorization: `Bearer ${token}` } });

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
