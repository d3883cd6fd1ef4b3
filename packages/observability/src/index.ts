export { createLogger } from './logger.ts';
export type { LoggerOptions, LogLevel } from './logger.ts';
export { redactText } from './redact-text.ts';
export { openOtlp } from './otlp/open-otlp.ts';
export type { Otlp, OtlpOptions } from './otlp/open-otlp.ts';
export { planOtlp } from './otlp/otlp-environment.ts';
export type { Environment, OtlpPlan } from './otlp/otlp-environment.ts';
export { createTelemetry, PROMETHEUS_CONTENT_TYPE } from './telemetry.ts';
export type { CallMeasurement, Reading, Telemetry, TelemetryOptions } from './telemetry.ts';
