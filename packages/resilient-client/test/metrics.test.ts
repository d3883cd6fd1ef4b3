import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';

import { createClient, createClientCredentials, type Client } from '../src/index.ts';
import { createScriptedUpstream, createTestClock, reply, reset, type Step } from '../src/testing/index.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

/** Is read by the test and by no timer. */
class TestReader extends MetricReader {
  protected async onForceFlush() {}
  protected async onShutdown() {}
}

const options = { name: 'thing service', baseUrl: 'https://things.example:8443/api', random: () => 0 };
const read = { params: { id: 'a b' } };
const upstream = { 'service.peer.name': 'thing service' };
const server = { 'server.address': 'things.example', 'server.port': 8443 };
const endpoint = { 'mcp_parts.endpoint': 'things.read' };

/** Runs calls against scripted responses and reads what was measured while the client is open. */
async function measure(steps: readonly [Step, ...Step[]], run: (api: Client) => Promise<unknown>) {
  const reader = new TestReader();
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
  const clock = createTestClock();
  const { dispatcher } = createScriptedUpstream(...steps);
  await using api = createClient({ ...options, dispatcher, clock, meter });
  await clock.settle(run(api));
  return pointsOf(reader);
}

/** Every point by the name of its metric: its labels and its number, or count. */
async function pointsOf(reader: MetricReader) {
  const { resourceMetrics } = await reader.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value }) => [
        attributes,
        typeof value === 'number' ? value : (value as { count: number }).count,
      ]),
    ]),
  );
}

describe('the metrics of a client', () => {
  it('have a duration of each request by the HTTP client conventions, and one of each call', async () => {
    const points = await measure([reply(503), reset(), reply(200, { id: 'a' }), reply(404)], async (api) => {
      await api.call(readThing, read, { signal });
      await api.call(readThing, read, { signal });
    });

    const request = { ...upstream, ...server, 'http.request.method': 'GET' };
    expect(points['http.client.request.duration']).toEqual([
      [{ ...request, 'http.response.status_code': 503, 'error.type': '503' }, 1],
      [{ ...request, 'error.type': 'network' }, 1],
      [{ ...request, 'http.response.status_code': 200 }, 1],
      [{ ...request, 'http.response.status_code': 404, 'error.type': '404' }, 1],
    ]);
    expect(points['mcp_parts.client.call.duration']).toEqual([
      [{ ...upstream, ...endpoint }, 1],
      [{ ...upstream, ...endpoint, 'error.type': 'not_found' }, 1],
    ]);
    expect(points['mcp_parts.client.retries']).toEqual([
      [{ ...upstream, ...endpoint, 'error.type': 'server_error' }, 1],
      [{ ...upstream, ...endpoint, 'error.type': 'network' }, 1],
    ]);
  });

  it('have the state of each circuit, its changes, and what was not repeated', async () => {
    const points = await measure([reply(503)], async (api) => {
      for (let i = 0; i < 6; i++) {
        await api.call(readThing, read, { signal });
      }
    });

    const circuit = { ...upstream, ...endpoint };
    const states = { closed: 0, open: 1, half_open: 0, isolated: 0 };
    expect(points['mcp_parts.client.circuit.state']).toEqual(
      Object.entries(states).map(([state, value]) => [{ ...circuit, 'mcp_parts.state': state }, value]),
    );
    expect(points['mcp_parts.client.circuit.transitions']).toEqual([
      [{ ...circuit, 'mcp_parts.state': 'open' }, 1],
    ]);
    expect(points['mcp_parts.client.retries_denied']).toEqual([
      [{ ...circuit, 'mcp_parts.denied_by': 'budget' }, 4],
    ]);
  });

  it('have who is held back, and the limits', async () => {
    const points = await measure([reply(429, {}, { 'retry-after': '3600' })], async (api) => {
      await api.call(readThing, read, { signal, caller: 'alice' });
      await api.call(readThing, read, { signal, caller: 'bob' });
    });

    expect(points['mcp_parts.client.held_back']).toEqual([[{ ...upstream, ...endpoint }, 2]]);
    expect(points['mcp_parts.client.bulkhead.requests']).toEqual([
      [{ ...upstream, 'mcp_parts.state': 'active' }, 0],
      [{ ...upstream, 'mcp_parts.state': 'waiting' }, 0],
    ]);
    expect(points['mcp_parts.client.bulkhead.limit']).toEqual([[upstream, 32]]);
  });

  it('have the connections and the tokens', async () => {
    const reader = new TestReader();
    const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
    await using provider = await startUpstream((_, response, count) =>
      count === 1
        ? json(response, 503, {})
        : json(response, 200, { access_token: 'a', token_type: 'Bearer', expires_in: 300 }),
    );
    await using things = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    const clock = createTestClock();
    const token = createClientCredentials({
      tokenUrl: `${provider.url}/token`,
      clientId: 'gateway',
      clientSecret: () => 's',
      clock,
      meter,
    });
    const api = createClient({ name: 'thing service', baseUrl: things.url, token, meter });
    await api.call(readThing, read, { signal });
    clock.advance(3_000);
    await api.call(readThing, read, { signal });

    const points = await pointsOf(reader);
    expect(points['mcp_parts.client.token.duration']).toEqual([
      [{ 'mcp_parts.grant': 'client_credentials', 'error.type': 'server_error' }, 1],
      [{ 'mcp_parts.grant': 'client_credentials' }, 1],
    ]);
    const connections = points['http.client.open_connections'] ?? [];
    expect(
      connections.map(([labels, value]) => [
        (labels as Record<string, unknown>)['http.connection.state'],
        value,
      ]),
    ).toEqual([
      ['active', 0],
      ['idle', 1],
    ]);
    await api.close();
  });

  it('of several clients share one meter', async () => {
    const reader = new TestReader();
    const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
    const { dispatcher } = createScriptedUpstream(reply(200, { id: 'a' }));
    await using first = createClient({ ...options, dispatcher, meter });
    await using second = createClient({ ...options, name: 'other service', dispatcher, meter });
    await first.call(readThing, read, { signal });
    await second.call(readThing, read, { signal });

    const points = await pointsOf(reader);
    for (const name of ['http.client.request.duration', 'mcp_parts.client.bulkhead.limit']) {
      const peers = points[name]?.map(([labels]) => (labels as Record<string, unknown>)['service.peer.name']);
      expect(peers).toEqual(['thing service', 'other service']);
    }
  });
});
