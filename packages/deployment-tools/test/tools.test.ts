import { createCatalog, type AuditDetails, type Task } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createDeploymentTools } from '../src/index.ts';
import {
  definitionsOf,
  mcpClient,
  startPlatform,
  aTask,
  storedTasks,
  target,
  type Platform,
} from './fake-platform.ts';
import { problem } from './fake-upstream.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
});

afterEach(() => platform[Symbol.asyncDispose]());

type ToolResult = {
  readonly isError?: boolean | undefined;
  readonly structuredContent?: Record<string, unknown> | undefined;
  readonly content: [{ readonly text: string }];
};

function caller(options: Parameters<typeof mcpClient>[1] = {}) {
  const call = mcpClient(definitionsOf(platform, {}), options);
  return async (name: string, input: Record<string, string> = {}) =>
    (await call('tools/call', { name, arguments: input })) as ToolResult;
}

function services(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    name: `service-${index}`,
    description: index % 2 === 0 ? 'Books parcels.' : 'Counts stock.',
    ownerTeam: 'logistics',
    tier: 2,
  }));
}

describe('list_services', () => {
  it('lists each service on a line', async () => {
    platform.upstream.on('GET /v1/services', { json: { services: services(2) } });
    const result = await caller()('list_services');
    expect(result.structuredContent).toEqual({ services: services(2), total: 2 });
    expect(result.content[0].text).toBe(
      '2 services:\n- service-0 (tier 2, team logistics): "Books parcels."\n- service-1 (tier 2, team logistics): "Counts stock."',
    );
  });

  it('caps the list and says so', async () => {
    platform.upstream.on('GET /v1/services', { json: { services: services(80) } });
    const result = await caller()('list_services');
    expect(result.structuredContent?.['services']).toHaveLength(50);
    expect(result.structuredContent?.['total']).toBe(80);
    expect(result.content[0].text).toContain('80 services, the first 50 shown:');
    expect(result.content[0].text).toContain('Next: Narrow it with search');
  });

  it('searches names and descriptions, whatever the case', async () => {
    platform.upstream.on('GET /v1/services', { json: { services: services(10) } });
    expect((await caller()('list_services', { search: 'STOCK' })).structuredContent?.['total']).toBe(5);
    expect((await caller()('list_services', { search: 'service-7' })).structuredContent?.['total']).toBe(1);
    expect((await caller()('list_services', { search: 'absent' })).content[0].text).toContain(
      'No service matches.',
    );
  });

  it('fails with words for a model when the upstream does', async () => {
    platform.upstream.on('GET /v1/services', problem(403, 'Scope platform:read is missing.'));
    const result = await caller()('list_services');
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toBe(
      'This server may not read that. Do not try again; tell the person you work for to ask the operator of this server. The configuration service said: "Scope platform:read is missing."',
    );
  });
});

describe('trigger_deployment', () => {
  it('answers at once with the id of a task', async () => {
    const result = await caller()('trigger_deployment', target);
    expect(result.structuredContent).toMatchObject({ taskId: 'task-1', state: 'queued' });
    expect(result.content[0].text).toContain('Next: Call check_deployment_status in 5 s');
    expect(platform.upstream.requests).toEqual([]);
  });

  it('gives the same task for the same idempotency key', async () => {
    const call = caller();
    const input = { ...target, idempotencyKey: 'key-12345' };
    await call('trigger_deployment', input);
    expect((await call('trigger_deployment', input)).structuredContent?.['taskId']).toBe('task-1');
    expect((await call('trigger_deployment', target)).structuredContent?.['taskId']).toBe('task-2');
  });

  it('refuses an idempotency key that belongs to another deployment', async () => {
    const call = caller();
    await call('trigger_deployment', { ...target, idempotencyKey: 'key-12345' });
    const result = await call('trigger_deployment', {
      ...target,
      version: '2.6.0',
      idempotencyKey: 'key-12345',
    });
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toContain('Use a new key.');
  });

  it('needs the permission of the environment', async () => {
    const call = caller({ permissions: ['deploy:read', 'deploy:staging'] });
    expect((await call('trigger_deployment', { ...target, environment: 'staging' })).isError).toBeUndefined();
    const denied = await call('trigger_deployment', target);
    expect(denied.isError).toBe(true);
    expect(denied.content[0].text).toContain('"deploy:production"');
  });

  it('does not exist for a caller who may deploy nowhere', async () => {
    const call = mcpClient(definitionsOf(platform), { permissions: ['deploy:read'] });
    await expect(call('tools/call', { name: 'trigger_deployment', arguments: target })).rejects.toThrow(
      'Unknown tool: trigger_deployment',
    );
    const { tools } = (await call('tools/list')) as { readonly tools: { readonly name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual([
      'list_services',
      'check_deployment_prerequisites',
      'check_deployment_status',
    ]);
  });

  it('leaves the target in the audit trail, urgent for production only', () => {
    expect(auditOf({ ...target, idempotencyKey: 'key-12345' })).toEqual({
      resource: 'payment-service/production',
      arguments: target,
      urgent: true,
    });
    expect(auditOf({ ...target, environment: 'staging' })).toMatchObject({ urgent: false });
  });

  function auditOf(input: Record<string, unknown>): AuditDetails | undefined {
    const catalog = createCatalog(definitionsOf(platform));
    return catalog.tools.get('trigger_deployment')?.definition.audit?.(input);
  }
});

describe('check_deployment_status', () => {
  it.each<[Partial<Task>, string]>([
    [
      { state: 'queued', progress: { percent: 0, message: '' } },
      'payment-service 2.5.0 to production: queued, 0 %. Waiting to start.\nNext: Check again in 5 s; do not start it again.',
    ],
    [
      {
        state: 'running',
        progress: { percent: 75, message: 'Deployment dep-1 running: eu-central 50 %.' },
      },
      'payment-service 2.5.0 to production: running, 75 %. Deployment dep-1 running: eu-central 50 %.\nNext: Check again in 5 s; do not start it again.',
    ],
    [
      {
        state: 'completed',
        progress: { percent: 100, message: 'Done.' },
        result: {
          answer: { content: [{ type: 'text', text: 'It is deployed.' }] },
          outcome: { result: 'success' },
        },
      },
      'payment-service 2.5.0 to production: completed, 100 %. It is deployed.\nNext: Tell the person the result.',
    ],
    [
      {
        state: 'failed',
        progress: { percent: 50, message: 'Running.' },
        error: { code: 'deployment_failed', message: 'It failed in us-east.' },
      },
      'payment-service 2.5.0 to production: failed, 50 %. It failed in us-east.\nNext: Tell the person why. Do not start it again unless the cause is gone and the person asks for it.',
    ],
    [
      { state: 'cancelled', progress: { percent: 50, message: 'Deployment dep-1 was cancelled.' } },
      'payment-service 2.5.0 to production: cancelled, 50 %. Deployment dep-1 was cancelled.\nNext: Tell the person. Start it again only if they ask for it.',
    ],
  ])('says what to do next: %j', async (task, text) => {
    const result = await status(task);
    expect(result.isError).toBeUndefined();
    expect(result.content[0].text).toBe(text);
    expect(result.structuredContent).toMatchObject({
      what: 'payment-service 2.5.0 to production',
      state: task.state,
    });
    expect(result.structuredContent?.['errorCode']).toBe(task.error?.code);
  });

  it.each([
    ['another caller', {}, 'https://issuer.test#eve'],
    ['another kind of work', { kind: 'report' }, 'https://issuer.test#ada'],
  ])('does not know a task of %s', async (_name, task, ownerId) => {
    const result = await status(task, ownerId);
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toContain('There is no task with this taskId that you started.');
  });

  function status(task: Partial<Task>, ownerId = 'https://issuer.test#ada'): Promise<ToolResult> {
    const stored: Task = { ...aTask(), ...task };
    const tasks = storedTasks(new Map([['task-9', { ...stored, ownerId }]]));
    return caller({ tasks })('check_deployment_status', { taskId: 'task-9' });
  }
});

describe('createDeploymentTools', () => {
  it.each([0, 1.5, -1, 60_001, Number.NaN])('refuses a poll interval of %d', (pollIntervalMs) => {
    expect(() => createDeploymentTools({ ...platform.clients, pollIntervalMs })).toThrow(RangeError);
  });

  it('costs a model little to have listed', () => {
    const { tools } = createCatalog(definitionsOf(platform));
    const bytes = (names: readonly string[]) =>
      Buffer.byteLength(JSON.stringify(names.map((name) => tools.get(name)?.listing)));
    const rare = ['approve_deployment', 'delete_service'];
    const all = [...tools.keys()];
    const common = all.filter((name) => !rare.includes(name));
    // Raise it only for words that change what a model does: every byte is read on every turn.
    expect(bytes(common.filter((name) => name !== 'cancel_deployment'))).toBeLessThanOrEqual(5_150);
    expect(bytes(common)).toBeLessThanOrEqual(6_050);
    // Of those who may approve, decline and delete.
    expect(bytes(all)).toBeLessThanOrEqual(6_500);
  });
});
