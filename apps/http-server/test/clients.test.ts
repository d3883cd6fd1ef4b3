import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import {
  auditOf,
  connectClient,
  mcpResource,
  sdkClients,
  tellDeploymentStory,
  testInspector,
  textOf,
} from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { startServer, tokenFor, type TestServer } from './http-server.ts';

const patiently = { timeout: 30_000 };

let sandbox: Sandbox;
let server: TestServer;
let home: string;
let developer: string;
let releaseManager: string;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  server = await startServer(sandbox);
  home = await mkdtemp(join(tmpdir(), 'mcp-inspector-'));
  developer = await tokenFor(sandbox, 'developer');
  releaseManager = await tokenFor(sandbox, 'release-manager');
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox.close();
  await rm(home, { recursive: true, force: true });
});

const stories = {
  'sdk-1.x': { service: 'payment-service', version: '2.5.0', environment: 'staging' },
  'sdk-2.x-auto': { service: 'pricing-service', version: '4.4.0', environment: 'staging' },
  'sdk-2.x-pinned': { service: 'inventory-service', version: '2.6.1', environment: 'staging' },
} as const;

describe.concurrent.each(sdkClients)('the client of %s', { timeout: 120_000 }, (kind) => {
  it('deploys to staging as a developer', async () => {
    await using client = await connectClient(kind, { url: server.url, token: developer });
    const taskId = await tellDeploymentStory(client, stories[kind]);

    const created = sandbox.requests('deployments').filter(({ method }) => method === 'POST');
    expect(created.map(({ headers }) => headers['idempotency-key'])).toContain(`${taskId}.eu-central`);
  });

  it('is refused production as a developer, and the refusal reaches the collector at once', async () => {
    await using client = await connectClient(kind, { url: server.url, token: developer });
    const { service } = stories[kind];
    const answer = await client.callTool('trigger_deployment', {
      service,
      version: '9.0.0',
      environment: 'production',
    });
    expect(answer.isError).toBe(true);
    expect(textOf(answer)).toMatch(/^Not allowed: this needs the permission "deploy:production"/u);
    await vi.waitFor(() => {
      expect(auditOf(sandbox, { client: kind, resource: `${service}/production`, result: 'denied' })).toEqual(
        [
          expect.objectContaining({
            stage: 'outcome',
            action: 'tools/call',
            target: 'trigger_deployment',
            reason: expect.stringMatching(/^missing_/u),
            actor: expect.objectContaining({ id: `${sandbox.urls.identity}#developer` }),
          }),
        ],
      );
    }, patiently);
  });

  it('gets an error for a tool that does not exist', async () => {
    await using client = await connectClient(kind, { url: server.url, token: developer });
    await expect(client.callTool('drop_database')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('Unknown tool: drop_database'),
    });
  });
});

testInspector(() => Promise.resolve({ target: { url: server.url, token: developer }, home }));

describe('production', () => {
  it('takes a release manager’s deployment inside its window, and audits it at once', async () => {
    sandbox.setDeploymentWindow('production', { always: true });
    await using client = await connectClient(
      'sdk-2.x-auto',
      { url: server.url, token: releaseManager },
      () => ({ action: 'accept', content: { confirm: true } }),
    );
    const resource = 'cart-service/production';
    await tellDeploymentStory(client, {
      service: 'cart-service',
      version: '3.2.0',
      environment: 'production',
    });
    await vi.waitFor(() => {
      // The round before asked the person.
      const [intent, outcome] = auditOf(sandbox, { target: 'trigger_deployment', resource }).slice(-2);
      expect(intent).toMatchObject({
        stage: 'intent',
        urgent: true,
        actor: {
          id: `${sandbox.urls.identity}#release-manager`,
          groups: ['developers', 'production-deployers'],
        },
        arguments: { service: 'cart-service', version: '3.2.0', environment: 'production' },
        era: '2026',
        transport: 'http',
      });
      expect(outcome).toMatchObject({ stage: 'outcome', intentId: intent?.id, result: 'success' });
    }, patiently);
  });
});

describe('what all of that left behind', () => {
  it('is an intent and an outcome in the collector for every call, once the server has stopped', async () => {
    await expect(server.stop()).resolves.toMatchObject({ code: 0 });
    const events = auditOf(sandbox, {});
    const outcomes = new Map(events.map((event) => [event['intentId'], event]));
    const intents = events.filter(({ stage }) => stage === 'intent');
    expect(intents.length).toBeGreaterThan(40);
    expect(intents.filter(({ id }) => !outcomes.has(id))).toEqual([]);
    expect(events.filter(({ stage }) => stage === 'outcome')).toHaveLength(intents.length);
    for (const kind of sdkClients) {
      const { service, version, environment } = stories[kind];
      expect(
        auditOf(sandbox, {
          client: kind,
          target: 'trigger_deployment',
          resource: `${service}/${environment}`,
        }),
      ).toMatchObject([
        {
          stage: 'intent',
          arguments: { service, version, environment },
          era: kind === 'sdk-1.x' ? '2025' : '2026',
        },
        { stage: 'outcome', result: 'success' },
      ]);
    }
  });

  it('says of a call what it did behind the server, and how old the groups behind its decision were', () => {
    for (const kind of sdkClients) {
      const { service, environment } = stories[kind];
      const [intent, outcome] = auditOf(sandbox, {
        client: kind,
        target: 'check_deployment_prerequisites',
        resource: `${service}/${environment}`,
      });
      expect(intent).toMatchObject({ stage: 'intent', directoryAgeMs: expect.any(Number) });
      expect(outcome).toMatchObject({
        stage: 'outcome',
        directoryAgeMs: expect.any(Number),
        upstreamCalls: expect.arrayContaining([
          {
            upstream: 'configuration service',
            endpoint: 'configuration.get_compatibility',
            outcome: 'ok',
            attempts: 1,
            durationMs: expect.any(Number),
          },
        ]),
      });
    }
  });

  it('shows the platform the server’s own token only, never a caller’s', () => {
    const requests = (['configuration', 'deployments', 'audit', 'identity'] as const).flatMap((service) => [
      ...sandbox.requests(service),
    ]);
    const seen = JSON.stringify(requests);
    expect(requests.length).toBeGreaterThan(40);
    for (const token of [developer, releaseManager]) {
      expect(seen).not.toContain(token);
    }
    const subjects = requests
      .flatMap(({ headers }) => headers['authorization'] ?? [])
      .filter((header) => header.startsWith('Bearer '))
      .map((header) => JSON.parse(Buffer.from(header.split('.')[1] ?? '', 'base64url').toString()) as object);
    expect(new Set(subjects.map((claims) => ('sub' in claims ? claims.sub : '')))).toEqual(
      new Set(['mcp-server']),
    );
  });
});
