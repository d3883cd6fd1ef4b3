import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { expect, it } from 'vitest';

import { startServer, tokenFor } from './http-server.ts';
import { modernCall, send } from './raw-request.ts';

/** Runs calls against the server, and reads its metrics. */
async function metricsAfter(
  run: (call: (tool: string, input: object) => Promise<number>, sandbox: Sandbox) => Promise<void>,
): Promise<readonly string[]> {
  const sandbox = await startSandbox({ mcpResource });
  try {
    await using server = await startServer(sandbox);
    const token = await tokenFor(sandbox, 'developer');
    await run(
      async (tool, input) => (await send(server.url, modernCall(token, tool, input))).status,
      sandbox,
    );
    const { text } = await send(`${server.origin}/metrics`);
    return text.split('\n');
  } finally {
    await sandbox.close();
  }
}

/** The lines of a metric with all of these labels. */
const linesOf = (lines: readonly string[], name: string, ...labels: readonly string[]) =>
  lines.filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));

const peer = 'service_peer_name="configuration service"';

it('shows operators how long requests to upstreams take, and how they end', async () => {
  const lines = await metricsAfter(async (call, sandbox) => {
    await sandbox.faults.set('configuration', { kind: 'status', status: 503, times: 1 });
    expect(await call('list_services', { search: 'fraud' })).toBe(200);
  });

  const counts = linesOf(
    lines,
    'http_client_request_duration_seconds_count',
    peer,
    'http_request_method="GET"',
  );
  expect(counts.filter((line) => line.includes('http_response_status_code="503"'))).toHaveLength(1);
  expect(counts.filter((line) => line.includes('http_response_status_code="200"'))).toHaveLength(1);
  expect(counts.every((line) => line.includes('server_address="127.0.0.1"'))).toBe(true);
  expect(lines.join('\n')).not.toContain('/v1/services');
}, 60_000);

it('shows operators calls, retries, circuits, tokens, limits and connections', async () => {
  const startedAt = performance.now();
  const lines = await metricsAfter(async (call, sandbox) => {
    await sandbox.faults.set('configuration', { kind: 'status', status: 503 });
    for (let i = 0; i < 6; i++) {
      await call('list_services', {});
    }
  });

  const endpoint = 'mcp_parts_endpoint="configuration.list_services"';
  const number = (name: string, ...labels: readonly string[]) => {
    const [line] = linesOf(lines, name, peer, ...labels);
    return Number(line?.split(' ').at(-1));
  };
  expect(number('mcp_parts_client_call_duration_seconds_count', endpoint, 'error_type="server_error"')).toBe(
    5,
  );
  expect(number('mcp_parts_client_call_duration_seconds_count', endpoint, 'error_type="circuit_open"')).toBe(
    1,
  );
  // Three in reserve, a fifth for each call, and three in ten seconds.
  const earned = Math.floor(3 + 5 * 0.2 + ((performance.now() - startedAt) / 10_000) * 3);
  const retries = number('mcp_parts_client_retries_total', endpoint);
  expect(retries).toBeGreaterThanOrEqual(3);
  expect(retries).toBeLessThanOrEqual(earned);
  expect(
    number('mcp_parts_client_retries_denied_total', 'mcp_parts_denied_by="budget"'),
  ).toBeGreaterThanOrEqual(1);
  expect(number('mcp_parts_client_circuit_state', endpoint, 'mcp_parts_state="open"')).toBe(1);
  expect(number('mcp_parts_client_circuit_state', endpoint, 'mcp_parts_state="closed"')).toBe(0);
  expect(number('mcp_parts_client_circuit_transitions_total', endpoint, 'mcp_parts_state="open"')).toBe(1);
  expect(number('mcp_parts_client_held_back', endpoint)).toBe(0);
  expect(number('mcp_parts_client_bulkhead_limit')).toBe(32);
  expect(number('mcp_parts_client_bulkhead_requests', 'mcp_parts_state="active"')).toBe(0);
  expect(number('http_client_open_connections', 'http_connection_state="idle"')).toBeGreaterThan(0);
  const tokens = linesOf(
    lines,
    'mcp_parts_client_token_duration_seconds_count',
    'mcp_parts_grant="client_credentials"',
  );
  expect(tokens).toHaveLength(1);
}, 60_000);
