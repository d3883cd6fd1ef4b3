export { createLogger } from './logger.ts';
export type { LoggerOptions, LogLevel } from './logger.ts';
export { redactText } from './redact-text.ts';
export { createTelemetry, PROMETHEUS_CONTENT_TYPE } from './telemetry.ts';
export type { CallMeasurement, Reading, Telemetry, TelemetryOptions } from './telemetry.ts';
