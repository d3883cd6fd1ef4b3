import { AuditError } from '../errors.ts';

const BASE_MS = 500;
const MAX_MS = 60_000;
// A sink that asks for more is asked again all the same.
const MAX_RETRY_AFTER_MS = 60 * 60 * 1000;

/**
 * How long to wait after so many failed attempts, in milliseconds: exponential with full jitter (`random` is in
 * [0, 1)), up to a minute, and at least as long as the sink asked for, up to an hour.
 */
export function backoffMs(failures: number, error: unknown, random: number): number {
  const ceilingMs = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures - 1, 20));
  const askedMs = error instanceof AuditError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(Math.min(askedMs, MAX_RETRY_AFTER_MS), random * ceilingMs);
}
