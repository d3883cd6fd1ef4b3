import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Meter,
  type ObservableResult,
  propagation,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

import { ATTRIBUTE, METRIC, OTHER_ERROR, SERVER_OPERATION_BUCKETS } from './metrics/names.ts';
import { observeProcess } from './metrics/process-metrics.ts';
import { withUnits } from './metrics/prometheus-names.ts';
import type { Otlp } from './otlp/open-otlp.ts';

/** `Content-Type` of the text that {@link Telemetry.prometheus} returns (Prometheus exposition format 0.0.4). */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Options of {@link createTelemetry}. */
export interface TelemetryOptions {
  /** `service.name` of the resource and name of the tracer. */
  readonly serviceName: string;
  /** `service.version` of the resource. */
  readonly serviceVersion: string;
  /** Further resource attributes, e.g. `deployment.environment.name`. @default {} */
  readonly resourceAttributes?: Readonly<Record<string, string>> | undefined;
  /** Also sends the metrics, from `openOtlp`. @default they are only read by `prometheus` */
  readonly otlp?: Pick<Otlp, 'metricReader' | 'resourceAttributes'> | undefined;
}

/**
 * One finished MCP call. Every string becomes a metric label, so pass only values of a known, small set: a registered tool,
 * prompt or resource *template*, and `_other` for a name the server does not know. Never an id, a URI or free text.
 */
export interface CallMeasurement {
  /** MCP method, e.g. `tools/call`. */
  readonly method: string;
  /** Registered name of the tool or prompt, or URI template of the resource; ignored for other methods. */
  readonly target: string;
  readonly era: '2025' | '2026';
  readonly transport: 'stdio' | 'http';
  /** `unknown`: a change may or may not have taken effect. */
  readonly result: 'success' | 'failure' | 'denied' | 'unknown';
  /** Error code, present unless the call succeeded. @default '_OTHER' when it did not succeed */
  readonly reason?: string | undefined;
  readonly durationMs: number;
}

/** A number, or one for each value of some labels, which must come from a known, small set. */
export type Reading =
  | number
  | readonly { readonly value: number; readonly labels: Readonly<Record<string, string>> }[];

/**
 * Registers what is read at each scrape. The unit is UCUM's, such as `s` or `By`.
 *
 * @default a number without a unit
 */
type Observe = (name: string, description: string, read: () => Reading, unit?: string) => void;

/** Spans, call metrics and their Prometheus text. Nothing here throws because of what is measured. */
export interface Telemetry {
  /** Runs `run` in an active span; a rejection marks the span as failed (its code or class, not its message) and passes on. */
  readonly span: <T>(
    name: string,
    attributes: Readonly<Record<string, string | number | boolean>>,
    run: () => Promise<T>,
    /** A trace that the span continues, as `traceparent` and `tracestate`. @default the one that is active */
    parent?: { readonly traceparent: string; readonly tracestate?: string | undefined },
  ) => Promise<T>;
  /** The trace that is active where it is called, as 32 hexadecimal digits; `undefined` without a tracing SDK. */
  readonly activeTraceId: () => string | undefined;
  /** Counts one call and its duration. */
  readonly recordCall: (call: CallMeasurement) => void;
  /**
   * Where other parts make their instruments, so that one scrape has them all: pass it as `meter` to the clients of
   * `@mcp-parts/resilient-client`, which measure requests to upstreams.
   */
  readonly meter: Meter;
  /** Registers a gauge that is read at each scrape. A `read` that throws leaves the series out of that scrape. */
  readonly observeGauge: Observe;
  /** The same for a number that only grows, so that its rate means something. */
  readonly observeCounter: Observe;
  /**
   * All metrics as Prometheus text; serve it with {@link PROMETHEUS_CONTENT_TYPE}. Names end in their unit, as a
   * collector would name them: `mcp_server_operation_duration_seconds`.
   */
  readonly prometheus: () => Promise<string>;
  /** Stops collecting. Idempotent; what is recorded afterwards is ignored. */
  readonly shutdown: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/**
 * Creates an OpenTelemetry meter provider of its own (no global is set, no port is opened) and a tracer from
 * `@opentelemetry/api`, whose spans cost nothing until the app installs a tracing SDK.
 */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { serviceName, serviceVersion, resourceAttributes = {}, otlp } = options;
  const reader = new ScrapeReader();
  const provider = new MeterProvider({
    // `openOtlp` made it, whose type says nothing of the SDK so that ours does not either.
    readers: otlp?.metricReader === undefined ? [reader] : [reader, otlp.metricReader as MetricReader],
    resource: resourceFromAttributes({
      ...resourceAttributes,
      [ATTRIBUTE.serviceName]: serviceName,
      [ATTRIBUTE.serviceVersion]: serviceVersion,
      ...otlp?.resourceAttributes,
    }),
  });
  const meter = provider.getMeter(serviceName, serviceVersion);
  const tracer = trace.getTracer(serviceName, serviceVersion);
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

  const operationDuration = meter.createHistogram(METRIC.serverOperationDuration, {
    description: 'Duration of MCP requests, from receiving a request to having its answer.',
    unit: 's',
    advice: { explicitBucketBoundaries: SERVER_OPERATION_BUCKETS },
  });
  const calls = meter.createCounter(METRIC.serverCalls, {
    description: 'MCP calls by outcome and protocol era.',
  });

  let stopped: Promise<void> | undefined;
  const stopProcess = observeProcess(meter);
  const shutdown = () => {
    stopProcess();
    return (stopped ??= provider.shutdown());
  };

  return {
    span: (name, attributes, run, parent) =>
      tracer.startActiveSpan(name, { attributes }, contextOf(parent), async (span) => {
        try {
          return await run();
        } catch (error) {
          span.setAttribute(ATTRIBUTE.errorType, errorType(error));
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      }),

    activeTraceId() {
      const active = trace.getActiveSpan()?.spanContext();
      return active !== undefined && isSpanContextValid(active) ? active.traceId : undefined;
    },

    recordCall(call) {
      const shared: Attributes = { [ATTRIBUTE.method]: call.method, ...targetAttributes(call) };
      if (call.result !== 'success') {
        shared[ATTRIBUTE.errorType] = call.reason ?? OTHER_ERROR;
      }
      operationDuration.record(call.durationMs / 1000, {
        ...shared,
        [ATTRIBUTE.networkTransport]: call.transport === 'stdio' ? 'pipe' : 'tcp',
      });
      calls.add(1, { ...shared, [ATTRIBUTE.callResult]: call.result, [ATTRIBUTE.era]: call.era });
    },

    meter,

    observeGauge(name, description, read, unit) {
      const gauge = meter.createObservableGauge(name, instrument(description, unit));
      gauge.addCallback((result) => observe(result, read()));
    },

    observeCounter(name, description, read, unit) {
      const counter = meter.createObservableCounter(name, instrument(description, unit));
      counter.addCallback((result) => observe(result, read()));
    },

    async prometheus() {
      // A gauge that failed is reported in `errors` and simply absent; `absent()` in an alert rule sees it.
      const { resourceMetrics } = await reader.collect();
      // The serializer's declaration file forgets to import ResourceMetrics, which the lint rule takes for a foreign type.
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
      return serializer.serialize(withUnits(resourceMetrics));
    },

    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

function instrument(description: string, unit: string | undefined) {
  return unit === undefined ? { description } : { description, unit };
}

/** Read by the propagator that is installed, as the requests of an HTTP server are. */
function contextOf(parent: object | undefined): Context {
  const active = context.active();
  return parent === undefined ? active : propagation.extract(active, parent);
}

function observe(result: ObservableResult, reading: Reading): void {
  if (typeof reading === 'number') {
    return result.observe(reading);
  }
  for (const { value, labels } of reading) {
    result.observe(value, { ...labels });
  }
}

/** Collects only when asked to: the exporter's own reader would bring its HTTP server along. */
class ScrapeReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

function targetAttributes({ method, target }: CallMeasurement): Attributes {
  switch (method) {
    case 'tools/call':
      return { [ATTRIBUTE.tool]: target, [ATTRIBUTE.operation]: 'execute_tool' };
    case 'prompts/get':
      return { [ATTRIBUTE.prompt]: target };
    case 'resources/read':
      return { [ATTRIBUTE.resource]: target };
    default:
      return {};
  }
}

function errorType(error: unknown): string {
  if (!(error instanceof Error)) {
    return OTHER_ERROR;
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
