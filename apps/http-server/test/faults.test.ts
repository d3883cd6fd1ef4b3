import { execFileSync, spawnSync } from 'node:child_process';

import { startSandbox, type Fault, type Sandbox } from '@mcp-parts/sandbox';
import { assertPublic, auditOf, connectClient, mcpResource, textOf } from '@mcp-parts/sandbox/testing';
import { describe, expect, it, vi } from 'vitest';

import { assertServes } from './assert-serves.ts';
import { startServer, tokenFor, type TestServer } from './http-server.ts';
import { initialize, modernCall, rpcHeaders, send } from './raw-request.ts';

// The faults are real: attempts time out, are repeated and shed. Each test has a platform and a server of its own.
const longTest = { timeout: 120_000 };
const patiently = { timeout: 90_000, interval: 250 };

interface World extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly server: TestServer;
  readonly token: string;
}

async function createWorld(settings: Readonly<Record<string, string>> = {}): Promise<World> {
  const sandbox = await startSandbox({ mcpResource });
  const server = await startServer(sandbox, settings);
  return {
    sandbox,
    server,
    token: await tokenFor(sandbox, 'developer'),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await sandbox.close();
    },
  };
}

describe.concurrent('when the configuration service', longTest, () => {
  it.for<[string, Fault, RegExp]>([
    ['is down', { kind: 'down' }, /^The configuration service could not be reached\./u],
    [
      'is overloaded',
      { kind: 'status', status: 503, retryAfterSeconds: 2 },
      /^The configuration service failed\. Try again in 2 s/u,
    ],
    ['resets connections', { kind: 'reset' }, /^The connection to the configuration service broke\./u],
    [
      'sends half a document',
      { kind: 'malformed' },
      /^The configuration service gave a response that this server does not understand\./u,
    ],
    [
      'sends a byte a second',
      { kind: 'drip', bytesPerSecond: 1 },
      /^The configuration service did not answer in time\./u,
    ],
    [
      'does not answer',
      { kind: 'latency', ms: 120_000 },
      /^The configuration service did not answer in time\./u,
    ],
  ])('%s, the model is told so, the operator why, and the server goes on', async ([, fault, words]) => {
    await using world = await createWorld();
    const { sandbox, server, token } = world;
    await using client = await connectClient('sdk-1.x', { url: server.url, token });
    await sandbox.faults.set('configuration', fault);
    const answer = await client.callTool('list_services');
    expect(answer.isError).toBe(true);
    expect(textOf(answer)).toMatch(words);
    assertPublic(answer, sandbox, [token]);

    const { failure, correlationId } = await server.process.logged('call failed');
    expect(failure).toMatchObject({ type: 'ClientError', code: expect.any(String) });
    expect(correlationId).toEqual(expect.any(String));
    expect(server.process.stderr()).not.toContain(token);
    expect(server.process.stderr()).not.toContain(sandbox.clients.mcpServer.clientSecret);

    await sandbox.faults.clear();
    // A service that has said how long it wants to be left alone is left alone so long.
    await vi.waitFor(() => assertServes(server, token), patiently);
  });
});

describe.concurrent('when the deployment API is down', longTest, () => {
  it('the deployment fails in words, the reads go on, and the next deployment succeeds', async () => {
    await using world = await createWorld();
    const { sandbox, server, token } = world;
    await using client = await connectClient('sdk-2.x-pinned', { url: server.url, token });
    await sandbox.faults.set('deployments', { kind: 'down' });

    const target = { service: 'pricing-service', version: '4.4.0', environment: 'staging' };
    const end = async (state: string) => {
      const { structuredContent } = await client.callTool('trigger_deployment', target);
      const taskId = structuredContent?.['taskId'];
      return vi.waitFor(async () => {
        const status = await client.callTool('check_deployment_status', { taskId });
        expect(status.structuredContent).toMatchObject({ state });
        return status;
      }, patiently);
    };
    const failed = await end('failed');
    expect(textOf(failed)).toContain('The deployment API could not be reached.');
    assertPublic(failed, sandbox, [token]);
    await assertServes(server, token);

    const readiness = await send(`${server.origin}/ready`);
    expect(readiness.status).toBe(200);
    expect(JSON.parse(readiness.text)).toMatchObject({
      status: 'degraded',
      checks: { configuration: 'ok', deployments: 'failed', audit: 'ok' },
    });

    await sandbox.faults.clear();
    await end('completed');
    await vi.waitFor(async () => {
      const { text } = await send(`${server.origin}/ready`);
      expect(JSON.parse(text)).toMatchObject({ status: 'ready' });
    }, patiently);
  });

  it('takes a replica out of service only where that backend is required', async () => {
    await using world = await createWorld({ READINESS_REQUIRES: 'deployments' });
    const { sandbox, server } = world;
    await sandbox.faults.set('deployments', { kind: 'down' });
    const { status, text } = await send(`${server.origin}/ready`);
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ status: 'not_ready', checks: { deployments: 'failed' } });
  });
});

describe.concurrent('when the identity provider is down', longTest, () => {
  it('nobody is told that a token is bad, only to come back', async () => {
    await using world = await createWorld();
    const { sandbox, server, token } = world;
    await sandbox.faults.set('identity', { kind: 'down' });
    const answer = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body: initialize });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    assertPublic(answer.text, sandbox, [token]);

    await sandbox.faults.clear();
    await vi.waitFor(() => assertServes(server, token), patiently);
  });

  it('known callers still get in, and a model is told that the server cannot sign in', async () => {
    await using world = await createWorld();
    const { sandbox, server, token } = world;
    await using client = await connectClient('sdk-1.x', { url: server.url, token });
    await sandbox.faults.set('identity', { kind: 'down' });
    await expect(client.listTools()).resolves.toHaveLength(5);
    const answer = await client.callTool('list_services');
    expect(answer.isError).toBe(true);
    expect(textOf(answer)).toContain('This server could not sign in to the configuration service');
    assertPublic(answer, sandbox, [token]);

    await sandbox.faults.clear();
    await vi.waitFor(() => assertServes(server, token), patiently);
  });
});

describe.concurrent('when the audit collector is down', longTest, () => {
  it('calls go on, and what it missed arrives when it is back', async () => {
    await using world = await createWorld();
    const { sandbox, server, token } = world;
    await using client = await connectClient('sdk-1.x', { url: server.url, token });
    await sandbox.faults.set('audit', { kind: 'down' });
    await client.callTool('list_services');
    const denied = { service: 'user-service', version: '1.0.0', environment: 'production' };
    expect((await client.callTool('trigger_deployment', denied)).isError).toBe(true);
    expect(auditOf(sandbox, {})).toEqual([]);

    await sandbox.faults.clear();
    await expect(server.stop()).resolves.toMatchObject({ code: 0 });
    expect(auditOf(sandbox, {}).map(({ target, stage }) => `${target} ${stage}`)).toEqual([
      'list_services intent',
      'list_services outcome',
      'trigger_deployment intent',
      'trigger_deployment outcome',
    ]);
  });
});

// To the server, a limit on the size of its files is a full disk. prlimit is part of util-linux.
const isDiskLimitable =
  process.env['REQUIRE_SERVICES'] === '1' || spawnSync('prlimit', ['--version']).status === 0;

describe.concurrent('when the disk is full', longTest, () => {
  it.runIf(isDiskLimitable)(
    'a change is refused, a read goes on, and all is well once there is room',
    async () => {
      await using world = await createWorld();
      const { sandbox, server, token } = world;
      await using client = await connectClient('sdk-2.x-pinned', { url: server.url, token });
      const target = { service: 'pricing-service', version: '4.4.0', environment: 'staging' };
      const limit = (size: string) =>
        execFileSync('prlimit', [`--pid=${server.process.pid}`, `--fsize=${size}:unlimited`]);

      await assertServes(server, token);
      limit('1');
      const refused = await client.callTool('trigger_deployment', target);
      expect(refused.isError).toBe(true);
      expect(textOf(refused)).toMatch(/^Nothing was done, because the action could not be recorded\./u);
      assertPublic(refused, sandbox, [server.stateDirectory]);
      expect(sandbox.requests('deployments').filter(({ method }) => method === 'POST')).toEqual([]);
      await assertServes(server, token);
      const readiness = await send(`${server.origin}/ready`);
      expect(readiness.status).toBe(503);
      expect(JSON.parse(readiness.text)).toMatchObject({ checks: { audit: 'failed' } });
      assertPublic(readiness.text, sandbox, [server.stateDirectory]);

      limit('unlimited');
      await vi.waitFor(async () => {
        const answer = await client.callTool('trigger_deployment', target);
        expect(answer.isError).toBeFalsy();
      }, patiently);
    },
  );
});

describe.concurrent('when a caller calls too often', longTest, () => {
  it('is told how long to wait, and nobody else is', async () => {
    await using world = await createWorld({ RATE_LIMIT_PER_MINUTE: '5' });
    const { sandbox, server, token } = world;
    // To open a session and its stream counts, too.
    await using client = await connectClient('sdk-1.x', { url: server.url, token });
    for (let call = 1; call <= 3; call += 1) {
      expect((await client.callTool('list_services')).isError).toBeFalsy();
    }
    const answer = await client.callTool('list_services');
    expect(answer.isError).toBe(true);
    expect(textOf(answer)).toMatch(/^Too many calls\. Nothing was done\. Wait \d+ s, then try again\.$/u);
    await vi.waitFor(
      () =>
        expect(auditOf(sandbox, { target: 'list_services', result: 'denied' })).toMatchObject([
          { reason: 'rate_limited' },
        ]),
      patiently,
    );
    const other = await tokenFor(sandbox, 'viewer');
    const theirs = await send(server.url, modernCall(other, 'list_services'));
    expect(theirs.text).toContain('fraud-service');
  });
});
