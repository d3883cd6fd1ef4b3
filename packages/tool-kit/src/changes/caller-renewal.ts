import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { asPublicError } from '../errors.ts';
import type { Caller } from '../ports.ts';
import type { Listener } from './change-listener.ts';

/** The same caller with the rights of now. Rejects with the code `access_denied` for who has none any more. */
export type RenewCaller = (caller: Caller, options: { readonly signal: AbortSignal }) => Promise<Caller>;

/** Looks up again what callers may do. */
export interface CallerRenewal {
  /** Asks for one who listens; `otherwise` is called where nobody can be asked. */
  readonly renew: (listener: Listener, otherwise: () => void) => void;
}

/** However many listen, a directory is asked so many questions at once. */
const MAX_AT_ONCE = 4;
/** Nobody is looked up more often. */
const MIN_INTERVAL_MS = 1_000;

/** Asks for each listener once, however often it is told to while one question waits. */
export function createCallerRenewal(
  renewCaller: RenewCaller | undefined,
  { logger, deadlineMs }: Pick<ResolvedPipelineOptions, 'logger' | 'deadlineMs'>,
): CallerRenewal {
  const waiting = new Set<Listener>();
  const askedAt = new WeakMap<Listener, number>();
  let running = 0;
  let timer: NodeJS.Timeout | undefined;

  async function ask(listener: Listener, renewing: RenewCaller): Promise<void> {
    running += 1;
    askedAt.set(listener, performance.now());
    const before = listener.caller;
    try {
      const caller = await renewing(before, { signal: AbortSignal.timeout(deadlineMs) });
      listener.become(caller);
    } catch (error) {
      if (asPublicError(error)?.code === 'access_denied') {
        listener.become({ ...before, permissions: [], obtainablePermissions: [] });
      } else {
        logger.warn({ err: error }, 'a caller who listens could not be looked up again');
      }
    } finally {
      running -= 1;
      next(renewing);
    }
  }

  function next(renewing: RenewCaller): void {
    const now = performance.now();
    let soonest = Number.POSITIVE_INFINITY;
    clearTimeout(timer);
    for (const listener of waiting) {
      const dueAt = (askedAt.get(listener) ?? Number.NEGATIVE_INFINITY) + MIN_INTERVAL_MS;
      if (listener.isClosed) {
        waiting.delete(listener);
      } else if (dueAt > now) {
        soonest = Math.min(soonest, dueAt);
      } else if (running < MAX_AT_ONCE) {
        waiting.delete(listener);
        void ask(listener, renewing);
      } else {
        // Whoever ends asks for the others.
        return;
      }
    }
    if (Number.isFinite(soonest)) {
      timer = setTimeout(() => next(renewing), soonest - now);
      timer.unref();
    }
  }

  return {
    renew(listener, otherwise) {
      if (renewCaller === undefined) {
        otherwise();
        return;
      }
      waiting.add(listener);
      if (waiting.size === 1) {
        // Many are often told at once.
        queueMicrotask(() => next(renewCaller));
      }
    },
  };
}
