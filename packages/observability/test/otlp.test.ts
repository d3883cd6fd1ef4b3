import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { context, propagation, trace } from '@opentelemetry/api';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createLogger, createTelemetry, openOtlp, planOtlp } from '../src/index.ts';

/** An OpenTelemetry collector on loopback that keeps what it is sent, by path. */
async function startReceiver() {
  const received = new Map<string, Buffer>();
  const headers: (string | undefined)[] = [];
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = await buffer(request);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const path = request.url ?? '';
    received.set(path, Buffer.concat([received.get(path) ?? Buffer.alloc(0), body]));
    headers.push(request.headers['content-type'], request.headers['x-team']?.toString());
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, headers };
}

/** Sets variables of this process, which is where the exporters look, for one test. */
function setEnvironment(environment: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  for (const [name, value] of Object.entries(environment)) {
    vi.stubEnv(name, value);
  }
  onTestFinished(() => {
    vi.unstubAllEnvs();
    // What one test has installed for the process stands in the way of the next.
    for (const api of [context, propagation, trace]) {
      api.disable();
    }
  });
  return process.env;
}

describe('openOtlp', () => {
  it('sends traces, metrics and logs to where the standard variables say, without a secret', async () => {
    const { url, received, headers } = await startReceiver();
    const environment = setEnvironment({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=platform',
      OTEL_SERVICE_NAME: 'named-by-operator',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
    });
    const service = { serviceName: 'test-server', serviceVersion: '1.2.3' };
    const otlp = await openOtlp({ environment, ...service });
    expect([...otlp.signals]).toEqual(['traces', 'metrics', 'logs']);
    const logger = createLogger({ name: 'test', destination: { write: () => undefined }, otlp });
    const telemetry = createTelemetry({ ...service, otlp });
    let traceId: string | undefined;
    await telemetry.span('tools/call echo', { 'mcp.method.name': 'tools/call' }, async () => {
      traceId = telemetry.activeTraceId();
      logger.warn({ upstream: 'deployment-api', token: 'hunter2', err: new Error('lost') }, 'retrying');
    });
    telemetry.recordCall({
      method: 'tools/call',
      target: 'echo',
      era: '2026',
      transport: 'http',
      result: 'success',
      durationMs: 5,
    });
    await telemetry.shutdown();
    await otlp.shutdown();

    const textOf = (path: string) => received.get(path)?.toString('latin1') ?? '';
    expect([...received.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual([
      '/v1/logs',
      '/v1/metrics',
      '/v1/traces',
    ]);
    expect(textOf('/v1/traces')).toContain('tools/call echo');
    expect(textOf('/v1/metrics')).toContain('mcp.server.operation.duration');
    for (const text of ['retrying', 'deployment-api', 'exception.message', 'lost']) {
      expect(textOf('/v1/logs')).toContain(text);
    }
    for (const path of received.keys()) {
      expect(textOf(path)).toContain('named-by-operator');
      expect(textOf(path)).toContain('staging');
      expect(textOf(path)).not.toContain('hunter2');
    }
    const id = Buffer.from(traceId ?? '', 'hex').toString('latin1');
    expect(id).toHaveLength(16);
    expect(textOf('/v1/traces')).toContain(id);
    expect(textOf('/v1/logs')).toContain(id);
    expect(new Set(headers)).toEqual(new Set(['application/x-protobuf', 'platform']));
  });

  it('goes on with the trace of who asks, and hands it on to whom it asks', async () => {
    const { url, received } = await startReceiver();
    const environment = setEnvironment({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces` });
    const service = { serviceName: 'test-server', serviceVersion: '1.2.3' };
    const otlp = await openOtlp({ environment, ...service });
    const telemetry = createTelemetry({ ...service, otlp });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers: Record<string, string> = {};
    const parent = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'vendor=1' };
    await telemetry.span(
      'tools/call echo',
      {},
      () => {
        propagation.inject(context.active(), headers);
        return Promise.resolve();
      },
      parent,
    );
    const unreadable = { traceparent: 'nonsense' };
    await telemetry.span('tools/call other', {}, () => Promise.resolve(), unreadable);
    await telemetry.shutdown();
    await otlp.shutdown();

    expect(headers).toMatchObject({
      traceparent: expect.stringMatching(
        new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`, 'u'),
      ),
      tracestate: 'vendor=1',
    });
    const sent = received.get('/v1/traces')?.toString('latin1') ?? '';
    expect(sent).toContain(Buffer.from(traceId, 'hex').toString('latin1'));
    expect(sent).toContain('tools/call other');
  });

  it('does not hold up the end of a process whose collector is away', async () => {
    const environment = setEnvironment({
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:9/v1/logs',
    });
    const otlp = await openOtlp({ environment, serviceName: 's', serviceVersion: '1' });
    expect([...otlp.signals]).toEqual(['logs']);
    otlp.writeLine?.('not JSON\n');
    const startedAt = performance.now();
    await otlp.shutdown();
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it('loads nothing while nothing is asked for', async () => {
    const program = fileURLToPath(new URL('otlp-loads.fixture.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--conditions=@mcp-parts/source',
      program,
    ]);
    const loaded = JSON.parse(stdout) as string[];
    expect(loaded.some((url) => url.includes('sdk-metrics'))).toBe(true);
    expect(loaded.filter((url) => /otlp-|sdk-logs|sdk-trace|context-async-hooks/u.test(url))).toEqual([]);
  });

  it('refuses variables that cannot be meant, by name', async () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'sometimes',
    };
    await expect(openOtlp({ environment, serviceName: 's', serviceVersion: '1' })).rejects.toThrow(
      /OTEL_EXPORTER_OTLP_PROTOCOL must be http\/protobuf.*OTEL_TRACES_SAMPLER must be one of/u,
    );
  });
});

describe('planOtlp', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  it.each<[string, Record<string, string>, string[]]>([
    ['nothing', {}, []],
    ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, []],
    ['an endpoint', endpoint, ['traces', 'metrics', 'logs']],
    ['the endpoint of one signal', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1' }, ['metrics']],
    ['an exporter', { OTEL_TRACES_EXPORTER: 'otlp' }, ['traces']],
    ['an exporter that is none', { ...endpoint, OTEL_LOGS_EXPORTER: 'none' }, ['traces', 'metrics']],
    ['a disabled SDK', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, []],
  ])('sends for %s', (_name, environment, signals) => {
    expect(planOtlp(environment)).toMatchObject({ problems: [] });
    expect([...planOtlp(environment).signals]).toEqual(signals);
  });

  it.each([
    [{ OTEL_METRICS_EXPORTER: 'console' }, 'OTEL_METRICS_EXPORTER must be otlp or none'],
    [
      { ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1',
    ],
    [
      { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '10s' },
      'OTEL_METRIC_EXPORT_INTERVAL must be a whole number of milliseconds',
    ],
    [
      { ...endpoint, OTEL_RESOURCE_ATTRIBUTES: 'staging' },
      'OTEL_RESOURCE_ATTRIBUTES must be key=value pairs, separated by commas',
    ],
  ])('finds what is wrong: %o', (environment, problem) => {
    expect(planOtlp(environment).problems).toEqual([problem]);
  });

  it('samples as it is told', () => {
    const choose = (sampler: string, arg?: string) =>
      planOtlp({ ...endpoint, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg }).sampler;
    expect(choose('always_off')).toEqual({ isParentBased: false, ratio: 0 });
    expect(choose('parentbased_traceidratio', '0.25')).toEqual({ isParentBased: true, ratio: 0.25 });
    expect(planOtlp(endpoint).sampler).toEqual({ isParentBased: true, ratio: 1 });
  });
});
