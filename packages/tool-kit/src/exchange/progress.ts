import { withoutUnseen } from '../visible-text.ts';
import { Allowance } from './allowance.ts';
import type { Channel } from './channel.ts';

/** What may be sent at once, and what then in each second: more than a person sees helps nobody. */
const BURST = 10;
const PER_SECOND = 10;

interface Report {
  readonly done: number;
  readonly total: number | undefined;
  readonly message: string | undefined;
}

/**
 * Tells the client how far a call is: only what is further than before (2025-11-25, basic/utilities/progress), and no
 * more often than can be seen. What comes too soon waits, and the newest takes its place.
 */
export class ProgressReporter {
  readonly #channel: Channel;
  readonly #token: string | number;
  readonly #allowance = new Allowance(BURST, PER_SECOND);
  #furthest = Number.NEGATIVE_INFINITY;
  #waiting: Report | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  private constructor(channel: Channel, token: string | number) {
    this.#channel = channel;
    this.#token = token;
  }

  /** One for the request of this channel; `undefined` when that has not asked for progress. */
  static of(channel: Channel | undefined): ProgressReporter | undefined {
    const token = channel?.meta['progressToken'];
    return channel !== undefined && (typeof token === 'string' || typeof token === 'number')
      ? new ProgressReporter(channel, token)
      : undefined;
  }

  report(done: number, total: number | undefined, message: string | undefined): void {
    // JSON has no NaN and no infinity, and a clock that was set back makes no step.
    if (this.#isEnded || !Number.isFinite(done) || done <= this.#furthest) {
      return;
    }
    this.#furthest = done;
    this.#waiting = { done, total: Number.isFinite(total) ? total : undefined, message };
    if (this.#timer !== undefined) {
      return;
    }
    if (this.#allowance.take()) {
      this.#send();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#allowance.take();
      this.#send();
    }, this.#allowance.waitMs).unref();
  }

  /** Sends what waits, and nothing any more after it: the answer follows. */
  end(): void {
    clearTimeout(this.#timer);
    this.#send();
    this.#isEnded = true;
  }

  #send(): void {
    if (this.#waiting === undefined || this.#isEnded) {
      return;
    }
    const { done, total, message } = this.#waiting;
    this.#waiting = undefined;
    this.#channel.notify(
      'notifications/progress',
      withoutUnseen({
        progressToken: this.#token,
        progress: done,
        ...(total !== undefined && { total }),
        ...(message !== undefined && { message }),
      }),
    );
  }
}
