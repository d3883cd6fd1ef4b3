import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import manifest from '../package.json' with { type: 'json' };
import { assertServes } from './assert-serves.ts';
import { startServer, tokenFor, type TestServer } from './http-server.ts';
import { initialize, messagesOf, modernCall, rpcHeaders, send, type RawAnswer } from './raw-request.ts';

const patiently = { timeout: 15_000, interval: 100 };

let sandbox: Sandbox;
let token: string;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  token = await tokenFor(sandbox, 'developer');
});

afterEach(() => sandbox.faults.clear());

afterAll(() => sandbox.close());

/** Starts a call whose backend answers late; resolves, to the answer to come, once the backend has it. */
async function startSlowCall(server: TestServer, ms: number): Promise<{ answer: Promise<RawAnswer> }> {
  await sandbox.faults.set('configuration', { kind: 'latency', ms, times: 1 });
  const before = sandbox.requests('configuration').length;
  const answer = send(server.url, modernCall(token, 'list_services', { search: 'fraud' }));
  // Whoever is interested in a failure awaits it.
  answer.catch(() => undefined);
  await vi.waitFor(() => expect(sandbox.requests('configuration').length).toBeGreaterThan(before), {
    timeout: 15_000,
  });
  return { answer };
}

// Windows has no way to ask a process to end.
describe.skipIf(process.platform === 'win32')('a server that is told to stop', () => {
  it.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'answers what it was asked and ends with 0 (%s)',
    async (signal) => {
      await using server = await startServer(sandbox, { READINESS_DELAY_MS: '1000' });
      const { answer } = await startSlowCall(server, 3_000);
      server.process.kill(signal);
      await server.process.logged('stopping');

      const readiness = await send(`${server.origin}/ready`);
      expect(readiness.status).toBe(503);
      expect(JSON.parse(readiness.text)).toMatchObject({ status: 'closing' });
      expect(readiness.headers['connection']).toBe('close');
      await assertServes(server, token);

      const answered = await answer;
      expect(answered.status).toBe(200);
      expect(messagesOf(answered)).toMatchObject([{ result: { structuredContent: { total: 1 } } }]);
      await expect(server.process.exit).resolves.toMatchObject({ code: 0, stdout: '' });
    },
  );

  it('does not wait for a client that only listens', async () => {
    await using server = await startServer(sandbox);
    const opened = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body: initialize });
    const stream = await fetch(server.url, {
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        'mcp-session-id': String(opened.headers['mcp-session-id']),
      },
    });
    expect(stream.status).toBe(200);
    await expect(server.stop()).resolves.toMatchObject({ code: 0 });
    await expect(stream.text()).resolves.toBeDefined();
  });

  it('gives up at the second signal, with 1', async () => {
    await using server = await startServer(sandbox);
    await startSlowCall(server, 10_000);
    server.process.kill('SIGTERM');
    await server.process.logged('stopping');
    await expect(server.stop('SIGTERM')).resolves.toMatchObject({ code: 1 });
  });

  it('puts a deployment aside that it has taken, and the next start makes it once', async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-http-server-'));
    const settings = { STATE_DIRECTORY: stateDirectory };
    const made = () =>
      sandbox
        .requests('deployments')
        .filter(({ method, path }) => method === 'POST' && path === '/v1/deployments');
    try {
      await using server = await startServer(sandbox, settings);
      const target = { service: 'ledger-service', version: '2.0.0', environment: 'staging' };
      const triggered = await send(server.url, modernCall(token, 'trigger_deployment', target));
      expect(triggered.status).toBe(200);
      await expect(server.stop()).resolves.toMatchObject({ code: 0 });

      await using next = await startServer(sandbox, settings);
      await vi.waitFor(() => expect(made()).toHaveLength(1), patiently);
      await assertServes(next, token);
      await expect(next.stop()).resolves.toMatchObject({ code: 0 });
      expect(made()).toHaveLength(1);
    } finally {
      await rm(stateDirectory, { recursive: true });
    }
  });
});

describe('operators', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(sandbox);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('learn that the server is alive and which version it is', async () => {
    const { name, version } = { name: 'mcp-deployments-http', version: manifest.version };
    const { status, text } = await send(`${server.origin}/health`);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ status: 'ok', name, version });
  });

  it('find the version of the program wherever one is shown', async () => {
    const { version } = manifest;
    const [firstLine = ''] = server.process.stderr().split('\n');
    expect(JSON.parse(firstLine)).toMatchObject({ msg: 'starting', version });

    const { text: metrics } = await send(`${server.origin}/metrics`);
    const target = metrics.split('\n').find((line) => line.startsWith('target_info{'));
    expect(target).toContain(`service_version="${version}"`);

    const opened = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body: initialize });
    expect(messagesOf(opened)).toMatchObject([{ result: { serverInfo: { version } } }]);

    await assertServes(server, token);
    // A checkpoint vouches for the trail itself.
    const events = await vi.waitFor(
      () => {
        const found = sandbox.auditEvents().filter(({ stage }) => stage !== 'checkpoint');
        expect(found).not.toEqual([]);
        return found;
      },
      { timeout: 15_000 },
    );
    for (const event of events) {
      expect(event).toMatchObject({ server: { name: 'mcp-deployments-http', version } });
    }
  });

  it('learn whether it may get traffic', async () => {
    const ready = await send(`${server.origin}/ready`);
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.text)).toMatchObject({
      status: 'ready',
      checks: { configuration: 'ok', deployments: 'ok', audit: 'ok' },
    });
    // How old everything is that decisions rest on.
    const usable = { ageMs: expect.any(Number), limitMs: expect.any(Number), failingMs: 0 };
    expect(JSON.parse(ready.text)).toMatchObject({
      facts: expect.arrayContaining([
        { fact: 'policy', ...usable },
        { fact: 'directory', ...usable },
      ]),
    });
    // Slower than a probe may be. All replicas share it, so each stays in service and says so.
    await sandbox.faults.set('deployments', { kind: 'latency', ms: 60_000 });
    await vi.waitFor(async () => {
      const degraded = await send(`${server.origin}/ready`);
      expect(degraded.status).toBe(200);
      expect(JSON.parse(degraded.text)).toMatchObject({
        status: 'degraded',
        checks: { configuration: 'ok', deployments: 'failed' },
      });
    }, patiently);
    const { text } = await send(`${server.origin}/metrics`);
    expect(text).toMatch(/^mcp_server_ready(?:\{[^}]*\})? 1$/mu);
    expect(text).toMatch(/^mcp_server_check\{check="deployments"[^}]*\} 0$/mu);
    expect((await send(`${server.origin}/health`)).status).toBe(200);
  });

  it('learn how it is doing, in the text format of Prometheus', async () => {
    await assertServes(server, token);
    const { headers, text } = await send(`${server.origin}/metrics`);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/u);
    expect(text).toMatch(/^# TYPE mcp_server_operation_duration_seconds histogram$/mu);
    expect(text).toMatch(/^mcp_server_operation_duration_seconds_count\{.*list_services.*\} \d+$/mu);
    expect(text).toMatch(/^mcp_audit_backlog(?:\{[^}]*\})? \d+$/mu);
    for (const fact of ['policy', 'directory', 'groups', 'keys']) {
      expect(text).toMatch(new RegExp(`^mcp_auth_fact_age_seconds\\{fact="${fact}"[^}]*\\} [\\d.]+$`, 'mu'));
      expect(text).toMatch(new RegExp(`^mcp_auth_fact_failing_seconds\\{fact="${fact}"[^}]*\\} 0$`, 'mu'));
    }
    for (const line of text.split('\n')) {
      expect(line).toMatch(
        /^$|^# (?:HELP|TYPE|UNIT) |^[a-z_:][\w:]*(?:\{.*\})? -?(?:[\d.e+-]+|\+?Inf|NaN)(?: \d+)?$/u,
      );
    }
    expect(text).not.toContain('#developer');
  });

  it.for(['/health', '/mcp', '/metrics', '/nowhere'])('find the security headers on %s', async (path) => {
    const { headers } = await send(`${server.origin}${path}`);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['server']).toBeUndefined();
  });

  it('find the security headers on an answer of either era', async () => {
    const answers = [
      await send(server.url, modernCall(token, 'list_services')),
      await send(server.url, { method: 'POST', headers: rpcHeaders(token), body: initialize }),
    ];
    for (const { status, headers } of answers) {
      expect(status).toBe(200);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it.for(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])(
    'let any web page read %s',
    async (path) => {
      const { status, headers, text } = await send(`${server.origin}${path}`);
      expect(status).toBe(200);
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(JSON.parse(text)).toMatchObject({
        resource: mcpResource,
        bearer_methods_supported: ['header'],
      });
    },
  );
});
