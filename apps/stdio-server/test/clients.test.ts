import { join } from 'node:path';

import {
  auditOf,
  connectClient,
  sdkClients,
  tellDeploymentStory,
  testInspector,
  textOf,
} from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { createWorld, program, type World } from './stdio-server.ts';

let world: World;

beforeAll(async () => {
  world = await createWorld();
});

afterAll(() => world[Symbol.asyncDispose]());

const stories = {
  'sdk-1.x': { service: 'payment-service', version: '2.5.0', environment: 'staging' },
  'sdk-2.x-auto': { service: 'pricing-service', version: '4.4.0', environment: 'staging' },
  'sdk-2.x-pinned': { service: 'inventory-service', version: '2.6.1', environment: 'staging' },
} as const;

// Each starts a server of its own, all on one state directory.
describe.concurrent.each(sdkClients)('the client of %s', { timeout: 120_000 }, (kind) => {
  it('deploys to staging as a developer; is refused production; leaves a complete trail', async () => {
    const { sandbox } = world;
    const env = await world.settings('developer');
    const story = stories[kind];
    const { service } = story;
    {
      await using client = await connectClient(kind, { program, env });
      const taskId = await tellDeploymentStory(client, story);
      const created = sandbox.requests('deployments').filter(({ method }) => method === 'POST');
      expect(created.map(({ headers }) => headers['idempotency-key'])).toContain(`${taskId}.eu-central`);

      const answer = await client.callTool('trigger_deployment', { ...story, environment: 'production' });
      expect(answer.isError).toBe(true);
      expect(textOf(answer)).toMatch(/^Not allowed: this needs the permission "deploy:production"/u);
      await vi.waitFor(
        () =>
          expect(
            auditOf(sandbox, { client: kind, resource: `${service}/production`, result: 'denied' }),
          ).toHaveLength(1),
        { timeout: 30_000 },
      );
      await expect(client.callTool('drop_database')).rejects.toMatchObject({
        code: -32602,
        message: expect.stringContaining('Unknown tool: drop_database'),
      });
    }
    // The client has ended the server, which ships what it still has before it goes.
    await vi.waitFor(
      () => {
        const events = auditOf(sandbox, { client: kind });
        const outcomes = new Set(events.map((event) => event['intentId']));
        const intents = events.filter(({ stage }) => stage === 'intent');
        expect(intents.length).toBeGreaterThan(8);
        expect(intents.filter(({ id }) => !outcomes.has(id))).toEqual([]);
        expect(auditOf(sandbox, { client: kind, target: 'drop_database' })).toHaveLength(2);
        expect(
          auditOf(sandbox, { client: kind, target: 'trigger_deployment', resource: `${service}/staging` }),
        ).toMatchObject([
          {
            stage: 'intent',
            transport: 'stdio',
            era: kind === 'sdk-1.x' ? '2025' : '2026',
            actor: { id: `${sandbox.urls.identity}#developer`, groups: ['developers'] },
          },
          { stage: 'outcome', result: 'success' },
        ]);
      },
      { timeout: 30_000 },
    );
    expect(JSON.stringify(sandbox.requests('configuration'))).not.toContain(env['ACCESS_TOKEN']);
    expect(JSON.stringify(sandbox.requests('deployments'))).not.toContain(env['ACCESS_TOKEN']);
  });
});

testInspector(async () => ({
  target: { program, env: await world.settings('developer') },
  home: join(world.folder, 'inspector'),
}));

describe('production', () => {
  it('takes a release manager’s deployment inside its window', { timeout: 120_000 }, async () => {
    world.sandbox.setDeploymentWindow('production', { always: true });
    const env = await world.settings('release-manager');
    await using client = await connectClient('sdk-2.x-auto', { program, env }, () => ({
      action: 'accept',
      content: { confirm: true },
    }));
    const story = { service: 'cart-service', version: '3.2.0', environment: 'production' } as const;
    await tellDeploymentStory(client, story);
    await vi.waitFor(
      () =>
        expect(
          // The round before asked the person.
          auditOf(world.sandbox, { target: 'trigger_deployment', resource: 'cart-service/production' }).slice(
            -2,
          ),
        ).toMatchObject([
          { stage: 'intent', urgent: true, arguments: story },
          { stage: 'outcome', result: 'success' },
        ]),
      { timeout: 30_000 },
    );
  });
});

describe('without an access token', () => {
  it('may read and nothing else', async () => {
    await using client = await connectClient('sdk-1.x', { program, env: await world.settings() });
    expect((await client.listTools()).map(({ name }) => name)).not.toContain('trigger_deployment');
    await expect(client.callTool('list_services')).resolves.toMatchObject({
      structuredContent: { total: 15 },
    });
    await expect(
      client.callTool('trigger_deployment', {
        service: 'user-service',
        version: '3.9.0',
        environment: 'staging',
      }),
    ).rejects.toThrow('Unknown tool: trigger_deployment');
  });
});
