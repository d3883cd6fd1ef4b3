import type { Clock } from './clock.ts';
import { Stopped, stopCodeOf, type StopCode } from './stop-signal.ts';

/** A signal that aborts with its parent, or when its time is up. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  readonly stop: (code: StopCode) => void;
  /** Clears the timer and lets go of the parent; must be called once the work is over. */
  readonly release: () => void;
}

/**
 * Limits work to `limitMs` and to the life of `parent`. A fresh controller for each piece of work: `AbortSignal.any`
 * costs more and leaks under long-lived parents, and `AbortSignal.timeout` cannot be driven by an injected clock.
 */
export function limitTime(options: {
  readonly parent: AbortSignal;
  readonly limitMs: number;
  readonly onLimit: StopCode;
  readonly clock: Clock;
}): TimeLimit {
  const { parent, limitMs, onLimit, clock } = options;
  const controller = new AbortController();
  const stop = (code: StopCode) => controller.abort(new Stopped(code));
  const followParent = () => stop(stopCodeOf(parent));
  let cancelTimer = () => {};

  if (parent.aborted) {
    followParent();
  } else if (limitMs <= 0) {
    stop(onLimit);
  } else {
    parent.addEventListener('abort', followParent, { once: true });
    cancelTimer = clock.schedule(limitMs, () => stop(onLimit));
  }

  return {
    signal: controller.signal,
    stop,
    release() {
      cancelTimer();
      parent.removeEventListener('abort', followParent);
    },
  };
}
