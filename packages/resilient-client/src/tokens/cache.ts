import { ClientError } from '../errors/client-error.ts';
import type { Clock } from '../time/clock.ts';
import { untilAborted } from '../time/stop-signal.ts';
import type { Grant } from './endpoint.ts';
import type { OnTokenFetched } from './metrics.ts';
import type { AccessToken } from './source.ts';

/** One token, kept and renewed. */
export interface TokenCache {
  /** The kept token, or what `fetch` brings; concurrent callers share one `fetch`. */
  readonly get: (
    fetch: () => Promise<Grant>,
    options: { readonly signal: AbortSignal },
  ) => Promise<AccessToken>;
  /** Drops the token if it is still this one, at most every 2 s: a late 401 of an older one must not drop its successor. */
  readonly invalidate: (value: string) => void;
}

/**
 * Renews at 72 to 80 % of a token's life, by the first call after that instant and without letting it wait, so nothing
 * runs while nobody calls. In its last `skewMs` a token is not given out any more.
 */
export function createTokenCache(options: {
  readonly clock: Clock;
  readonly random: () => number;
  readonly skewMs: number;
  readonly onFetched: OnTokenFetched;
}): TokenCache {
  const { clock, random, skewMs, onFetched } = options;
  let current:
    | { readonly token: AccessToken; readonly renewAt: number; readonly usableUntil: number }
    | undefined;
  let failed: { readonly error: unknown; readonly until: number } | undefined;
  let inFlight: Promise<AccessToken> | undefined;
  let rejectedAt = -Infinity;

  async function renew(fetch: () => Promise<Grant>): Promise<AccessToken> {
    const startedAt = clock.monotonicNow();
    try {
      const { value, lifeMs } = await fetch();
      const now = clock.monotonicNow();
      onFetched(now - startedAt, undefined);
      const usableMs = lifeMs - Math.min(skewMs, lifeMs / 2);
      const renewMs = Math.min(0.8 * lifeMs, 0.9 * usableMs) * (1 - 0.1 * random());
      current = { token: { value }, renewAt: now + renewMs, usableUntil: now + usableMs };
      return current.token;
    } catch (error) {
      const now = clock.monotonicNow();
      onFetched(now - startedAt, error);
      failed = { error, until: now + failureMemoryMs(error) };
      throw error;
    } finally {
      inFlight = undefined;
    }
  }

  return {
    async get(fetch, options) {
      const now = clock.monotonicNow();
      // Without this, every call during an outage of the identity provider would hammer it, or lock the client out.
      const failure = failed !== undefined && now < failed.until ? failed : undefined;
      if (current !== undefined && now < current.usableUntil) {
        const { token, renewAt } = current;
        if (now >= renewAt && failure === undefined) {
          inFlight ??= renew(fetch);
          // A failure is remembered, and told once the present token has ended.
          inFlight.catch(() => {});
        }
        return token;
      }
      if (failure !== undefined) {
        throw failure.error;
      }
      inFlight ??= renew(fetch);
      // Read no sooner: making the signal is what a call with a kept token can save.
      return untilAborted(inFlight, options.signal);
    },
    invalidate(value) {
      const now = clock.monotonicNow();
      // An upstream that takes no token at all must not cost the identity provider one for every call.
      if (current?.token.value !== value || now - rejectedAt < REJECTION_PAUSE_MS) {
        return;
      }
      rejectedAt = now;
      current = undefined;
    },
  };
}

const REJECTION_PAUSE_MS = 2_000;
const FAILURE_MEMORY_MS = 2_000;
const MAX_FAILURE_MEMORY_MS = 30_000;

/** Two seconds, or as long as the server asked to be left alone, within reason. */
function failureMemoryMs(error: unknown): number {
  const askedMs = error instanceof ClientError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(Math.max(askedMs, FAILURE_MEMORY_MS), MAX_FAILURE_MEMORY_MS);
}
