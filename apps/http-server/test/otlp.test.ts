import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { connectClient, mcpResource, runToEnd } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { program, startServer } from './http-server.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
});

afterAll(() => sandbox.close());

const withoutIssuer = { AUTH_MODE: 'none', AUTH_ISSUER: '', AUTH_AUDIENCE: '', DIRECTORY_FILE: '' };

/** A collector on loopback that keeps what it is sent, by path. */
async function startReceiver() {
  const received = new Map<string, string>();
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const path = request.url ?? '';
      received.set(path, (received.get(path) ?? '') + body.toString('latin1'));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

describe('a server with an OpenTelemetry collector', { timeout: 60_000 }, () => {
  it('sends its traces, metrics and logs, the last of them when it stops', async () => {
    const { url, received } = await startReceiver();
    {
      await using server = await startServer(sandbox, { ...withoutIssuer, OTEL_EXPORTER_OTLP_ENDPOINT: url });
      await using client = await connectClient('sdk-2.x-pinned', { url: server.url, token: 'ignored' });
      await client.callTool('list_services', {});
      expect(await server.stop()).toMatchObject({ code: 0 });
    }
    expect(received.get('/v1/traces')).toContain('tools/call list_services');
    expect(received.get('/v1/metrics')).toContain('mcp.audit.disk.used');
    expect(received.get('/v1/logs')).toContain('stopping');
  });

  it('has the trace and the reference in the line of a call that failed', async () => {
    const { url } = await startReceiver();
    await using server = await startServer(sandbox, { ...withoutIssuer, OTEL_EXPORTER_OTLP_ENDPOINT: url });
    await using client = await connectClient('sdk-2.x-pinned', { url: server.url, token: 'ignored' });
    await sandbox.faults.set('configuration', { kind: 'status', status: 404 });
    onTestFinished(() => sandbox.faults.clear());
    await client.callTool('list_services', {});
    expect(await server.process.logged('call failed')).toMatchObject({
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/u),
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/u),
    });
  });

  it('that is named in a way that cannot be meant does not start, and says why', async () => {
    const { code, stderr } = await runToEnd(program, {
      env: {
        AUTH_MODE: 'none',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, or left out');
  });
});
