import type { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encode.ts';

/** An event that waits for its commit. */
export interface WaitingEvent {
  readonly event: EncodedEvent;
  readonly resolve: () => void;
  readonly reject: (error: AuditError) => void;
}

/**
 * Makes one group of all events that wait, and commits one group at a time. Whatever waits when a commit ends is the
 * next group, so one caller waits for one sync and sixty-four callers share one. No timer delays a commit.
 */
export class GroupCommit {
  readonly #commit: (group: readonly WaitingEvent[]) => Promise<void>;
  #waiting: WaitingEvent[] = [];
  #isRequested = false;
  #committing: Promise<void> | undefined;

  /** `commit` settles every event of its group, or puts it back. */
  constructor(commit: (group: readonly WaitingEvent[]) => Promise<void>) {
    this.#commit = commit;
  }

  /** Whether an event waits for the next group. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when the event was committed. */
  append(event: EncodedEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject });
      this.#start();
    });
  }

  /** Asks for a commit although no event may wait. */
  request(): void {
    this.#isRequested = true;
    this.#start();
  }

  /** Makes a group that failed the first part of the next one. */
  putBack(group: readonly WaitingEvent[]): void {
    this.#waiting.unshift(...group);
  }

  /** Resolves when nothing waits any more. */
  async finished(): Promise<void> {
    await this.#committing;
  }

  #start(): void {
    this.#committing ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        // Until the promises that are settled now have run their course: calls made together, and callers
        // whose last commit just ended, share one group.
        await new Promise<void>((resolve) => process.nextTick(resolve));
        if (this.#waiting.length === 0 && !this.#isRequested) {
          return;
        }
        const group = this.#waiting;
        this.#waiting = [];
        this.#isRequested = false;
        await this.#commit(group);
      }
    } finally {
      this.#committing = undefined;
    }
  }
}
