import { checkWhole } from '../check-number.ts';
import type { StopSignal } from '../time/stop-signal.ts';

/** How many requests of a client are on the wire at once, and how many may wait for a place. */
export interface BulkheadOptions {
  /** Requests on the wire, and connections; a whole number from 1. @default 32 */
  readonly concurrency?: number | undefined;
  /** Requests that wait, a whole number from 0; one more fails at once as `overloaded`. @default 256 */
  readonly queue?: number | undefined;
}

/** {@link BulkheadOptions}, filled in and checked. */
export interface ResolvedBulkheadOptions {
  readonly concurrency: number;
  readonly queue: number;
}

/** @throws {RangeError} naming the member and its value. */
export function resolveBulkheadOptions(options: BulkheadOptions = {}): ResolvedBulkheadOptions {
  const { concurrency = 32, queue = 256 } = options;
  checkWhole('bulkhead.concurrency', concurrency, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('bulkhead.queue', queue, 0, Number.MAX_SAFE_INTEGER);
  return { concurrency, queue };
}

/** Places for requests. Whoever entered must leave. */
export interface Bulkhead {
  /** Takes a place if one is free and nobody waits. */
  readonly tryEnter: () => boolean;
  /** Waits in line for a place until the signal stops it. */
  readonly enter: (signal: StopSignal) => Promise<'entered' | 'full' | 'stopped'>;
  readonly leave: () => void;
  /** Places that are free now. */
  readonly free: () => number;
  /** Requests that wait for one. */
  readonly waiting: () => number;
}

/** Creates one with every place free. */
export function createBulkhead({ concurrency, queue }: ResolvedBulkheadOptions): Bulkhead {
  let running = 0;
  // A set keeps the order of arrival and forgets whoever gives up in constant time.
  const waiting = new Set<() => void>();

  function tryEnter(): boolean {
    if (running >= concurrency) {
      return false;
    }
    running += 1;
    return true;
  }

  return {
    tryEnter,
    async enter(signal) {
      if (signal.aborted) {
        return 'stopped';
      }
      if (tryEnter()) {
        return 'entered';
      }
      if (waiting.size >= queue) {
        return 'full';
      }
      return new Promise((resolve) => {
        const end = (how: 'entered' | 'stopped') => {
          waiting.delete(admit);
          signal.removeEventListener('abort', waiter);
          resolve(how);
        };
        const admit = () => end('entered');
        const waiter = { handleEvent: () => end('stopped') };
        waiting.add(admit);
        signal.addEventListener('abort', waiter);
      });
    },
    leave() {
      const [next] = waiting;
      // The place goes from hand to hand, so nobody can slip in before whoever waits.
      if (next === undefined) {
        running -= 1;
      } else {
        next();
      }
    },
    free: () => concurrency - running,
    waiting: () => waiting.size,
  };
}
