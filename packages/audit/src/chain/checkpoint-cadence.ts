import type { SetTimer } from '../clock.ts';

interface CheckpointCadenceOptions {
  /** A checkpoint follows at the latest after so many events. */
  readonly checkpointEvents: number;
  /** A checkpoint follows at the latest so long after an event, in milliseconds. */
  readonly checkpointIntervalMs: number;
  /** Events that no checkpoint vouches for yet. */
  readonly unsignedEvents: number;
  readonly setTimer: SetTimer;
  /** Called when a checkpoint is due although no event may come to carry it. */
  readonly onDue: () => void;
}

/** Decides when the chain is signed: after so many events, so long after one, and when somebody asks for it. */
export class CheckpointCadence {
  readonly #options: CheckpointCadenceOptions;
  #unsignedEvents: number;
  #isRequested = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: CheckpointCadenceOptions) {
    this.#options = options;
    this.#unsignedEvents = options.unsignedEvents;
  }

  /** Whether there are events that no checkpoint vouches for. */
  get hasUnsigned(): boolean {
    return this.#unsignedEvents > 0;
  }

  /** Whether the next commit takes a checkpoint whatever it holds. */
  get isRequested(): boolean {
    return this.#isRequested;
  }

  /** Asks for a checkpoint with the next commit. */
  request(): void {
    this.#isRequested = true;
  }

  /** Whether a commit of so many events takes a checkpoint. A request is taken up by it. */
  takeDue(events: number): boolean {
    const isRequested = this.#isRequested;
    this.#isRequested = false;
    return isRequested || this.#unsignedEvents + events >= this.#options.checkpointEvents;
  }

  /** Takes note of a commit that succeeded. */
  committed(events: number, hasCheckpoint: boolean): void {
    this.#unsignedEvents = hasCheckpoint ? 0 : this.#unsignedEvents + events;
    if (!this.hasUnsigned) {
      this.stop();
      return;
    }
    // The last events of a quiet hour are signed too, not only when more follow.
    this.#cancelTimer ??= this.#options.setTimer(
      () => {
        this.#cancelTimer = undefined;
        this.#options.onDue();
      },
      this.#options.checkpointIntervalMs,
      { keepsProcessAlive: false },
    );
  }

  /** Takes note of a commit that failed: nothing is asked for any more. */
  failed(): void {
    this.#isRequested = false;
  }

  /** Stops the clock. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
