import type { Clock } from './clock.ts';
import { Stopped, stopCodeOf, type StopCode, type StopListener, type StopSignal } from './stop-signal.ts';

/** A stop signal that is cheap to make, and becomes a real AbortSignal for the code of others that wants one. */
class Stop implements StopSignal {
  reason: Stopped | undefined;
  #listener: StopListener | undefined;
  #more: Set<StopListener> | undefined;
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.reason !== undefined;
  }

  // Nearly always there is one.
  addEventListener(_: 'abort', listener: StopListener): void {
    if (this.#listener === undefined) {
      this.#listener = listener;
    } else {
      this.#more ??= new Set();
      this.#more.add(listener);
    }
  }

  removeEventListener(_: 'abort', listener: StopListener): void {
    if (this.#listener === listener) {
      this.#listener = undefined;
    } else {
      this.#more?.delete(listener);
    }
  }

  /** A real one, made for whoever asks: it costs more than the rest of a call together. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.reason !== undefined) {
        this.#controller.abort(this.reason);
      }
    }
    return this.#controller.signal;
  }

  stop(code: StopCode): void {
    if (this.reason !== undefined) {
      return;
    }
    this.reason = new Stopped(code);
    this.#controller?.abort(this.reason);
    const more = this.#more;
    this.#listener?.handleEvent();
    more?.forEach((listener) => listener.handleEvent());
  }
}

/** Ends one attempt: with its call, or by its own time once that runs. */
export class AttemptLimit extends Stop {
  /** On the monotonic clock. */
  endsAt = Number.POSITIVE_INFINITY;
  readonly #call: CallLimit;

  constructor(call: CallLimit) {
    super();
    this.#call = call;
  }

  /** Starts the attempt's own time, which is not that of its waits. */
  start(now: number, limitMs: number): void {
    this.endsAt = now + limitMs;
    this.#call.wakeBy(this.endsAt, now);
  }

  release(): void {
    this.#call.forget(this);
  }
}

/**
 * Ends a call: with its caller's cancellation, at its deadline, or with the client. One timer serves the call and its
 * attempts; it wakes at the earliest end that was set and looks which of them have come.
 */
export class CallLimit extends Stop {
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly #parent: AbortSignal;
  readonly #clock: Clock;
  readonly #attempts = new Set<AttemptLimit>();
  #wakesAt = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;

  /** `wakeMs` is when the timer is first set for: at the likely end of the first attempt, so that it need not be moved. */
  constructor(options: { parent: AbortSignal; now: number; limitMs: number; wakeMs: number; clock: Clock }) {
    super();
    const { parent, now, limitMs, wakeMs, clock } = options;
    this.deadline = now + limitMs;
    this.#parent = parent;
    this.#clock = clock;
    if (parent.aborted) {
      this.stop(stopCodeOf(parent));
    } else if (limitMs <= 0) {
      this.stop('deadline_exceeded');
    } else {
      parent.addEventListener('abort', this);
      this.wakeBy(now + Math.min(limitMs, wakeMs), now);
    }
  }

  /** The parent's signal aborted. An object as a listener spares a closure for each call. */
  handleEvent(): void {
    this.stop(stopCodeOf(this.#parent));
  }

  override stop(code: StopCode): void {
    super.stop(code);
    for (const attempt of this.#attempts) {
      attempt.stop(code);
    }
  }

  /** A new attempt's limit; release it when the attempt is over. */
  attempt(): AttemptLimit {
    const attempt = new AttemptLimit(this);
    if (this.reason !== undefined) {
      attempt.stop(this.reason.code);
    }
    this.#attempts.add(attempt);
    return attempt;
  }

  forget(attempt: AttemptLimit): void {
    this.#attempts.delete(attempt);
  }

  wakeBy(at: number, now: number): void {
    if (at >= this.#wakesAt) {
      return;
    }
    this.#cancelTimer?.();
    this.#wakesAt = at;
    this.#cancelTimer = this.#clock.schedule(at - now, this.#wake);
  }

  /** Clears the timer and lets go of the parent; must be called once the call is over. */
  release(): void {
    this.#cancelTimer?.();
    this.#parent.removeEventListener('abort', this);
  }

  readonly #wake = () => {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonicNow();
    if (now >= this.deadline) {
      return this.stop('deadline_exceeded');
    }
    let next = this.deadline;
    for (const attempt of this.#attempts) {
      if (attempt.endsAt <= now) {
        attempt.stop('timeout');
      } else {
        next = Math.min(next, attempt.endsAt);
      }
    }
    this.wakeBy(next, now);
  };
}
