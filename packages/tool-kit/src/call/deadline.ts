import type { Interruption } from './failure/failure.ts';

/**
 * The time that one call has left, and whether its client still wants it. An `AbortController` costs more than the
 * rest of a call, so there is one only when somebody asks for its signal.
 */
export class Deadline implements Disposable {
  /** In milliseconds since the Unix epoch. */
  at: number;
  /** Set once the call is to end. */
  interruption: Interruption | undefined;
  #reason: unknown;
  #controller: AbortController | undefined;
  #giveUp: ((reason: unknown) => void) | undefined;
  #timer: NodeJS.Timeout;
  #pauses = 0;
  /** Of the time that is left, as long as the clock runs: since when, on a clock that nobody sets. */
  #leftMs: number;
  #runsSince = performance.now();
  #isDisposed = false;
  readonly #followed: { readonly signal: AbortSignal; readonly listener: () => void }[] = [];

  constructor(deadlineMs: number) {
    this.at = Date.now() + deadlineMs;
    this.#leftMs = deadlineMs;
    this.#timer = this.#start(deadlineMs);
  }

  #start(leftMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#interrupt('deadline_exceeded', new DOMException('deadline exceeded', 'TimeoutError'));
    }, leftMs).unref();
  }

  /** Stops the clock, as nobody thinks by a deadline of ours, until what is returned is called. */
  pause(): () => void {
    if (this.#pauses === 0) {
      this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#runsSince));
      clearTimeout(this.#timer);
    }
    this.#pauses += 1;
    return () => {
      this.#pauses -= 1;
      if (this.#pauses === 0 && !this.#isDisposed) {
        this.#runsSince = performance.now();
        this.at = Date.now() + this.#leftMs;
        this.#timer = this.#start(this.#leftMs);
      }
    };
  }

  /** Ends the call when this signal aborts, too. */
  follow(signal: AbortSignal): void {
    const listener = () => this.#interrupt(interruptionOf(signal.reason), signal.reason);
    if (signal.aborted) {
      listener();
      return;
    }
    if (!this.#followed.some((one) => one.signal === signal)) {
      signal.addEventListener('abort', listener);
      this.#followed.push({ signal, listener });
    }
  }

  /** Aborts when the call is to end. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.interruption !== undefined) {
        this.#controller.abort(this.#reason);
      }
    }
    return this.#controller.signal;
  }

  /** @throws {unknown} the reason, once the call is to end. */
  throwIfInterrupted(): void {
    if (this.interruption !== undefined) {
      throw this.#reason;
    }
  }

  /** Settles with the work, or as soon as the call is to end: work that ignores its signal holds nobody up. */
  until<T>(work: T | PromiseLike<T>): T | Promise<T> {
    if (!isPromise(work)) {
      return work;
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#giveUp = reject;
    // Whatever it throws once nobody waits any more is heard here, and no unhandled rejection.
    work.then(resolve, reject);
    if (this.interruption !== undefined) {
      reject(this.#reason);
    }
    return promise;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    for (const { signal, listener } of this.#followed) {
      signal.removeEventListener('abort', listener);
    }
  }

  #interrupt(interruption: Interruption, reason: unknown): void {
    if (this.interruption !== undefined) {
      return;
    }
    this.interruption = interruption;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#giveUp?.(reason);
  }
}

/** A server that stops aborts its calls with a reason that has this code. */
function interruptionOf(reason: unknown): Interruption {
  return reason instanceof Error && 'code' in reason && reason.code === 'server_stopped'
    ? 'server_stopped'
    : 'cancelled';
}

function isPromise<T>(work: T | PromiseLike<T>): work is PromiseLike<T> {
  return typeof work === 'object' && work !== null && 'then' in work && typeof work.then === 'function';
}
