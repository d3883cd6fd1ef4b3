/**
 * Milliseconds a Retry-After header asks for, or undefined when it is absent or unreadable (RFC 9110 §10.2.3).
 * `now` is in milliseconds since the Unix epoch.
 */
export function parseRetryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (/^\d+$/.test(value)) {
    return Math.min(Number(value) * 1000, Number.MAX_SAFE_INTEGER);
  }
  // Date.parse takes almost anything ("1.5", "2"); a real HTTP date begins with a weekday (RFC 9110 §5.6.7).
  if (!/^[A-Z][a-z]{2,8},? /.test(value)) {
    return undefined;
  }
  const date = Date.parse(value.endsWith(' GMT') ? value : `${value} GMT`);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
