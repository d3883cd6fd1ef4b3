import { MAX_TIMER_MS } from '../check-number.ts';
import type { KnownCaller } from './gate.ts';

/**
 * Calls `end` when what proved the caller ends: a stream that waits for events must not outlive it. A client with a
 * new token opens it again. Calls are left alone: they were allowed when they began, and have a deadline.
 *
 * @returns how to stop waiting.
 */
export function whenTokenEnds({ expiresAt }: Pick<KnownCaller, 'expiresAt'>, end: () => void): () => void {
  if (expiresAt === undefined) {
    return () => undefined;
  }
  const timer = setTimeout(end, Math.min(Math.max(expiresAt - Date.now(), 0), MAX_TIMER_MS));
  timer.unref();
  return () => clearTimeout(timer);
}
