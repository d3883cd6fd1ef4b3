/** What sends telemetry to a collector, and nothing of what makes it: loads in a fraction of the time. */
export { openOtlp } from './otlp/open-otlp.ts';
export type { Otlp, OtlpOptions } from './otlp/open-otlp.ts';
export { planOtlp } from './otlp/otlp-environment.ts';
export type { Environment, OtlpPlan } from './otlp/otlp-environment.ts';
