import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What may be given up, in this order, when there is too much to do. */
type Load = 'normal' | 'shed_lists' | 'shed_calls';

/** Knows how far behind the process is. */
export interface OverloadMonitor {
  readonly load: (inFlight: number) => Load;
  readonly close: () => void;
}

const WINDOW_MS = 250;
/** Delays of the event loop at which a client is better served by a quick refusal, in milliseconds. */
const SHED_LISTS_MS = 1_000;
const SHED_CALLS_MS = 2_500;
/** Of the calls that may run at once. */
const SHED_LISTS_SHARE = 0.75;

/** Watches the delay of the event loop in windows of 250 ms, and the number of running calls. */
export function createOverloadMonitor(maxInFlight: number): OverloadMonitor {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let delayMs = 0;
  const timer = setInterval(() => {
    delayMs = delay.max / 1e6;
    delay.reset();
  }, WINDOW_MS);
  timer.unref();
  return {
    load(inFlight) {
      if (delayMs > SHED_CALLS_MS || inFlight >= maxInFlight) {
        return 'shed_calls';
      }
      return delayMs > SHED_LISTS_MS || inFlight >= maxInFlight * SHED_LISTS_SHARE ? 'shed_lists' : 'normal';
    },
    close() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
