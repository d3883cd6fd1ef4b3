import type { Resource } from '@opentelemetry/resources';

import { ATTRIBUTE } from '../metrics/names.ts';
import { createLogRecords } from './log-records.ts';
import { planOtlp, type Environment, type OtlpPlan } from './otlp-environment.ts';

/** Options of {@link openOtlp}. */
export interface OtlpOptions {
  /** The variables of the process. The exporters read endpoints, headers and time limits from `process.env` itself. */
  readonly environment: Environment;
  /** `service.name` of what is sent. @default that of OTEL_SERVICE_NAME comes first */
  readonly serviceName: string;
  /** `service.version` of what is sent. */
  readonly serviceVersion: string;
}

/** What is sent to an OpenTelemetry collector. Pass it to `createTelemetry` and `createLogger`. */
export interface Otlp extends AsyncDisposable {
  /** What is sent: nothing where the environment asks for nothing. */
  readonly signals: ReadonlySet<'traces' | 'metrics' | 'logs'>;
  /** For `createTelemetry`: what the environment says of this process, the service's name included. */
  readonly resourceAttributes?: Readonly<Record<string, string>> | undefined;
  /** For `createTelemetry`: reads and sends metrics. */
  readonly metricReader?: object | undefined;
  /** For `createLogger`: sends a line, secrets masked. */
  readonly writeLine?: ((line: string) => void) | undefined;
  /** Sends what waits, for at most two seconds. Idempotent. */
  readonly shutdown: () => Promise<void>;
}

// The process ends soon, and a collector that is away must not hold it.
const SHUTDOWN_MS = 2000;

/**
 * Sends traces, metrics and logs by OTLP (http/protobuf) as the standard `OTEL_*` variables say; without an endpoint in
 * them it does nothing, and loads nothing. The packages that do it are optional peers: `@opentelemetry/sdk-trace`,
 * `context-async-hooks` and `exporter-trace-otlp-proto` for traces, `exporter-metrics-otlp-proto` for metrics, `sdk-logs`
 * and `exporter-logs-otlp-proto` for logs. Traces make this the global tracing SDK of the process.
 * @throws {TypeError} naming the variables that cannot be meant
 */
export async function openOtlp(options: OtlpOptions): Promise<Otlp> {
  const plan = planOtlp(options.environment);
  if (plan.problems.length > 0) {
    throw new TypeError(plan.problems.join('; '));
  }
  const { signals } = plan;
  if (signals.size === 0) {
    return { signals, shutdown: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
  }
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const resourceAttributes = {
    [ATTRIBUTE.serviceName]: options.serviceName,
    [ATTRIBUTE.serviceVersion]: options.serviceVersion,
    ...plan.resourceAttributes,
    ...(plan.serviceName !== undefined && { [ATTRIBUTE.serviceName]: plan.serviceName }),
  };
  const resource = resourceFromAttributes(resourceAttributes);
  const [tracing, metricReader, logging] = await Promise.all([
    signals.has('traces') ? openTracing(plan, resource) : undefined,
    signals.has('metrics') ? openMetrics(plan) : undefined,
    signals.has('logs') ? openLogs(plan, resource) : undefined,
  ]);
  let stopped: Promise<void> | undefined;
  const shutdown = () =>
    (stopped ??= atMost(
      SHUTDOWN_MS,
      [tracing, logging].map((provider) => provider?.shutdown() ?? Promise.resolve()),
    ));
  return {
    signals,
    resourceAttributes,
    metricReader,
    writeLine: logging?.writeLine,
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

async function openTracing({ sampler, spanDelayMs }: OtlpPlan, resource: Resource) {
  const [
    { context, propagation, trace },
    sdk,
    { OTLPTraceExporter },
    { AsyncLocalStorageContextManager },
    { W3CTraceContextPropagator },
  ] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/core'),
  ]);
  const root = new sdk.TraceIdRatioBasedSampler(sampler.ratio);
  const provider = new sdk.TracerProvider({
    resource,
    sampler: sampler.isParentBased ? new sdk.ParentBasedSampler({ root }) : root,
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        ...(spanDelayMs !== undefined && { scheduledDelayMillis: spanDelayMs }),
      }),
    ],
  });
  // Each says no where the application has installed its own, which then stays.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return provider;
}

async function openMetrics({ metricIntervalMs }: OtlpPlan): Promise<object> {
  const [{ PeriodicExportingMetricReader }, { OTLPMetricExporter }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-metrics-otlp-proto'),
  ]);
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    ...(metricIntervalMs !== undefined && {
      exportIntervalMillis: metricIntervalMs,
      exportTimeoutMillis: Math.min(metricIntervalMs, METRIC_TIMEOUT_MS),
    }),
  });
}

/** Of the specification: OTEL_METRIC_EXPORT_TIMEOUT. */
const METRIC_TIMEOUT_MS = 30_000;

async function openLogs({ logDelayMs }: OtlpPlan, resource: Resource) {
  const [{ BatchLogRecordProcessor, LoggerProvider }, { OTLPLogExporter }] = await Promise.all([
    import('@opentelemetry/sdk-logs'),
    import('@opentelemetry/exporter-logs-otlp-proto'),
  ]);
  const provider = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: new OTLPLogExporter(),
        ...(logDelayMs !== undefined && { scheduledDelayMillis: logDelayMs }),
      }),
    ],
  });
  const writeLine = createLogRecords(provider.getLogger('log'));
  return { writeLine, shutdown: () => provider.shutdown() };
}

/** Waits for all of them, but not for long; one that fails has nobody left to tell. */
async function atMost(ms: number, work: readonly Promise<void>[]): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  try {
    await Promise.race([Promise.allSettled(work), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
