import type { MetricReader } from '@opentelemetry/sdk-metrics';

type ResourceMetrics = Awaited<ReturnType<MetricReader['collect']>>['resourceMetrics'];

/** By UCUM's unit. One in braces counts something, and the name says what. */
const SUFFIX = new Map([
  ['s', 'seconds'],
  ['By', 'bytes'],
  ['1', 'ratio'],
]);

/**
 * The same metrics with names that end in their unit, as the OpenTelemetry specification names them for Prometheus
 * (compatibility/prometheus_and_openmetrics): a collector does so, and the exporter for JavaScript does not.
 */
export function withUnits(metrics: ResourceMetrics): ResourceMetrics {
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map((metric) => {
        const suffix = SUFFIX.get(metric.descriptor.unit);
        return suffix === undefined
          ? metric
          : {
              ...metric,
              descriptor: { ...metric.descriptor, name: `${metric.descriptor.name}.${suffix}` },
            };
      }),
    })),
  };
}
