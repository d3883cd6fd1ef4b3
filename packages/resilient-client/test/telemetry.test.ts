import { context, metrics, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createClient, type ClientEvent } from '../src/index.ts';
import { reply, createScriptedUpstream } from '../src/testing/index.ts';
import { readThing, signal } from './things.ts';

/** Is read by the test and by no timer. */
class TestReader extends MetricReader {
  protected async onForceFlush() {}
  protected async onShutdown() {}
}

const exporter = new InMemorySpanExporter();
const options = { name: 'thing service', baseUrl: 'https://things.example:8443/api', random: () => 0 };
const read = { params: { id: 'a b' } };

let reader: TestReader;

beforeEach(() => {
  reader = new TestReader();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
});

afterEach(() => {
  exporter.reset();
  context.disable();
  propagation.disable();
  trace.disable();
  metrics.disable();
});

/** A call that fails once, inside a span of the caller's own. */
async function callTwice() {
  const upstream = createScriptedUpstream(reply(503), reply(200, { id: 'a' }));
  const events: ClientEvent[] = [];
  await using api = createClient({
    ...options,
    dispatcher: upstream.dispatcher,
    on: (event) => events.push(event),
  });
  await trace.getTracer('test').startActiveSpan('tool', async (span) => {
    await api.call(readThing, read, { signal });
    span.end();
  });
  const byName = new Map<string, ReadableSpan[]>();
  for (const span of exporter.getFinishedSpans()) {
    byName.set(span.name, [...(byName.get(span.name) ?? []), span]);
  }
  const [tool] = byName.get('tool') ?? [];
  const [call] = byName.get('things.read') ?? [];
  return { upstream, events, tool, call, attempts: byName.get('GET /things/{id}') ?? [] };
}

describe('telemetry', () => {
  it('makes one span of the call and below it one of each attempt, by the HTTP client conventions', async () => {
    const { tool, call, attempts } = await callTwice();

    expect(call?.parentSpanContext?.spanId).toBe(tool?.spanContext().spanId);
    const common = {
      'http.request.method': 'GET',
      'url.template': '/things/{id}',
      'url.full': 'https://things.example:8443/api/things/a%20b',
      'server.address': 'things.example',
      'server.port': 8443,
    };
    expect(attempts.map((span) => span.attributes)).toEqual([
      { ...common, 'http.response.status_code': 503, 'error.type': '503' },
      { ...common, 'http.response.status_code': 200, 'http.request.resend_count': 1 },
    ]);
    expect(attempts.map((span) => span.parentSpanContext?.spanId)).toEqual(
      attempts.map(() => call?.spanContext().spanId),
    );
    expect(attempts.map((span) => span.status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
    expect(call?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('hands the context of each attempt on to the upstream', async () => {
    const { upstream, attempts } = await callTwice();

    expect(upstream.requests.map(({ headers }) => headers['traceparent'])).toEqual(
      attempts.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`),
    );
  });

  it('tells of every attempt what a metric of HTTP requests needs, and writes to no meter itself', async () => {
    const { events } = await callTwice();

    const attempt = { type: 'attempt', client: options.name, endpoint: 'things.read', method: 'GET' };
    const durationMs = expect.any(Number);
    expect(events.filter(({ type }) => type === 'attempt')).toEqual([
      { ...attempt, attempt: 1, durationMs, status: 503 },
      { ...attempt, attempt: 2, durationMs, status: 200 },
    ]);
    const { resourceMetrics } = await reader.collect();
    expect(resourceMetrics.scopeMetrics).toEqual([]);
  });

  it('marks a call that failed with its code', async () => {
    const upstream = createScriptedUpstream(reply(404));
    await using api = createClient({ ...options, dispatcher: upstream.dispatcher });

    await api.call(readThing, read, { signal });

    const call = exporter.getFinishedSpans().find((span) => span.name === 'things.read');
    expect(call?.attributes).toEqual({ 'error.type': 'not_found' });
    expect(call?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('sends no trace header when there is no SDK', async () => {
    trace.disable();
    propagation.disable();
    const upstream = createScriptedUpstream(reply(200, { id: 'a' }));
    await using api = createClient({ ...options, dispatcher: upstream.dispatcher });

    await api.call(readThing, read, { signal });

    expect(Object.keys(upstream.requests[0]?.headers ?? {})).not.toContain('traceparent');
  });
});
