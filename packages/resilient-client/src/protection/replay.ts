import type { Sent } from '../http/wire.ts';

/**
 * What may be sent twice. `never`: only a request that was certainly not carried out. `idempotent`: any, because twice
 * is the same as once. `key`: any, because every attempt of one call carries the same Idempotency-Key and the upstream
 * honours it. A repeated DELETE may find its own work done: `not_found` with `sent: 'maybe'` is its success.
 */
export type Replay = 'never' | 'idempotent' | 'key';

/** Whether a request that brought this status may be sent again without doing its work twice. */
export function isReplayableStatus(status: number, replay: Replay): boolean {
  // 429 is refused before it is processed, so it is safe under every rule.
  return status === 429 || (replay !== 'never' && TRANSIENT_STATUSES.has(status));
}

/** Whether a request that brought no complete response may be sent again without doing its work twice. */
export function isReplayableLoss(sent: Sent, replay: Replay): boolean {
  return sent === 'no' || replay !== 'never';
}

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 500, 502, 503, 504]);
