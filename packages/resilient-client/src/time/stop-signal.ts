import type { Clock } from './clock.ts';

/** Why work was stopped before it ended by itself. */
export type StopCode = 'cancelled' | 'deadline_exceeded' | 'timeout';

/** The abort reason of every signal this package makes, so that the code survives on its way to the socket and back. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly code: StopCode;

  constructor(code: StopCode) {
    super(code);
    this.code = code;
  }
}

/** The part of an AbortSignal that a request needs; a real one costs more than the rest of a call together. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** A signal that aborts with its parent, or when its time is up. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  stop(code: StopCode): void;
  /** Clears the timer and lets go of the parent; must be called once the work is over. */
  release(): void;
}

/**
 * Limits work to `limitMs` and to the life of `parent`. A fresh controller for each piece of work: `AbortSignal.any`
 * costs more and leaks under long-lived parents, and `AbortSignal.timeout` cannot be driven by an injected clock.
 */
export function limitTime(options: {
  parent: AbortSignal;
  limitMs: number;
  onLimit: StopCode;
  clock: Clock;
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

/** Why an aborted signal was aborted; a reason from outside this package is a cancellation by the caller. */
export function stopCodeOf(signal: StopSignal): StopCode {
  return signal.reason instanceof Stopped ? signal.reason.code : 'cancelled';
}

/** The promise's result, or the abort reason as soon as this caller gives up; the work itself goes on. */
export function untilAborted<T>(promise: Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error('aborted', { cause: signal.reason }));
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
