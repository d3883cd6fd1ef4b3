import type { Replay } from '../endpoint/define-endpoint.ts';
import type { Policy } from './policy.ts';

/**
 * What is known about a request on the wire. `no`: nothing of it left. `maybe`: it left, or part of it, and no answer
 * came. `yes`: the backend answered.
 */
export type Sent = 'no' | 'maybe' | 'yes';

/**
 * Full jitter: evenly spread from 0 to the bound, which doubles with each retry up to `maxDelayMs`, so that callers
 * that failed together do not come back together.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffDelayMs(
  retry: number,
  policy: Pick<Policy['retry'], 'baseDelayMs' | 'maxDelayMs'>,
  random: () => number,
): number {
  return random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (retry - 1));
}

/** Milliseconds a Retry-After header asks for, or undefined when it is absent or unreadable (RFC 9110 §10.2.3). */
export function parseRetryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, Number.MAX_SAFE_INTEGER);
  // Date.parse takes almost anything ("1.5", "2"); a real HTTP date begins with a weekday (RFC 9110 §5.6.7).
  if (!/^[A-Z][a-z]{2,8},? /.test(value)) return undefined;
  const date = Date.parse(value.endsWith(' GMT') ? value : `${value} GMT`);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Whether a request that brought this status may be sent again without doing its work twice. */
export function isReplayableStatus(status: number, replay: Replay): boolean {
  // 429 is refused before it is processed, so it is safe under every rule.
  return status === 429 || (replay !== 'never' && TRANSIENT_STATUSES.has(status));
}

/** Whether a request that brought no complete answer may be sent again without doing its work twice. */
export function isReplayableLoss(sent: Sent, replay: Replay): boolean {
  return sent === 'no' || replay !== 'never';
}

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 500, 502, 503, 504]);
