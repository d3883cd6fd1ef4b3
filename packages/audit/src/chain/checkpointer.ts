import type { SetTimer } from '../clock.ts';
import { AuditError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { untilAborted } from '../until-aborted.ts';
import type { CheckpointCadence } from './cadence.ts';
import {
  createCheckpoint,
  createOrigin,
  type AuditCheckpoint,
  type ChainStart,
  type Origin,
} from './checkpoint.ts';
import type { ChainTip } from './record.ts';
import type { TextSigner } from './signer.ts';

interface CheckpointerOptions extends CheckpointCadence {
  readonly signer: TextSigner;
  readonly writerId: string;
  /** Where the chain stands, and up to where a checkpoint vouches for it. */
  readonly tip: ChainTip;
  readonly coveredSequence: number;
  readonly setTimer: SetTimer;
  readonly now: () => number;
  readonly logger: Logger;
  /** Called when a checkpoint waits to be stored, although no event may come to carry it. */
  readonly onReady: () => void;
}

/** What a commit made durable. */
interface Committed {
  readonly tip: ChainTip;
  /** When its first event was made, in milliseconds since the Unix epoch. */
  readonly firstEventAt: number | undefined;
  /** The one that was stored with it. */
  readonly checkpoint: AuditCheckpoint | undefined;
  /** Whether its end is to be signed whatever it holds. */
  readonly isSegmentEnd: boolean;
}

// A signature over the network takes some 50 ms; a commit waits no longer than this for one that is late.
const PATIENCE_MS = 1000;
const SIGN_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

/**
 * Has the chain signed: after so many events, so long after one, and when somebody asks. The signature is made while
 * other commits go on and stored with a later one, so that a signer far away, or one that fails, stops no event.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #tip: ChainTip;
  #coveredSequence: number;
  /** The oldest event that is not covered, and the oldest one behind what is being signed. */
  #oldestAt: number | undefined;
  #oldestBehindAt: number | undefined;
  #signed: AuditCheckpoint | undefined;
  #signing: Promise<void> | undefined;
  #trouble: AuditError | undefined;
  #failures = 0;
  #isStopped = false;
  readonly #cancelTimers = new Set<() => void>();
  #cancelDue: (() => void) | undefined;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#tip = options.tip;
    this.#coveredSequence = options.coveredSequence;
    if (this.hasUnsigned) {
      this.request();
    }
  }

  /** Whether there are events that no checkpoint in the trail vouches for. */
  get hasUnsigned(): boolean {
    return this.#tip.sequence > this.#coveredSequence;
  }

  /** The checkpoint that waits to be stored. */
  get waiting(): AuditCheckpoint | undefined {
    return this.#signed;
  }

  /** Set while the signer fails. */
  get trouble(): AuditError | undefined {
    return this.#trouble;
  }

  /**
   * Resolves when events may be committed, with how many at most: a checkpoint that is due comes first, unless its
   * signature is long in coming.
   */
  async room(): Promise<number> {
    if (this.#isDue()) {
      this.request();
      if (this.#signing !== undefined && this.#trouble === undefined) {
        await this.#patience(this.#signing);
      }
    }
    if (this.#trouble !== undefined || this.#isDue()) {
      return Infinity;
    }
    return this.#options.checkpointEvents - this.#unsignedEvents();
  }

  /** Has the present end of the chain signed. */
  request(): void {
    if (this.#signing !== undefined || this.#isStopped) {
      return;
    }
    this.#oldestBehindAt = undefined;
    const tip = this.#tip;
    const { signer, writerId, now } = this.#options;
    const checkpoint = this.#sign((signal) =>
      createCheckpoint(signer, writerId, tip, { time: now(), signal }),
    );
    this.#signing = checkpoint.then(
      (signed) => {
        this.#signing = undefined;
        this.#signed = signed;
        this.#options.onReady();
      },
      () => {
        this.#signing = undefined;
        this.#retryLater();
      },
    );
  }

  /** Signs the beginning of a chain, now. Rejects when the signer does, or takes too long. */
  signOrigin(start: ChainStart): Promise<Origin> {
    return this.#sign((signal) => createOrigin(this.#options.signer, start, { signal }));
  }

  /** Takes note of a commit that succeeded. */
  committed({ tip, firstEventAt, checkpoint, isSegmentEnd }: Committed): void {
    this.#tip = tip;
    this.#oldestAt ??= firstEventAt;
    this.#oldestBehindAt ??= firstEventAt;
    if (checkpoint !== undefined) {
      this.#coveredSequence = checkpoint.sequence;
      this.#oldestAt = this.#oldestBehindAt;
      this.#signed = this.#signed === checkpoint ? undefined : this.#signed;
    }
    if (!this.hasUnsigned) {
      this.#cancelDue?.();
      this.#cancelDue = undefined;
    } else if (isSegmentEnd || this.#isDue()) {
      this.request();
    } else {
      // The last events of a quiet hour are signed too, not only when more follow.
      this.#cancelDue ??= this.#options.setTimer(
        () => {
          this.#cancelDue = undefined;
          this.request();
        },
        this.#options.checkpointIntervalMs,
        { keepsProcessAlive: false },
      );
    }
  }

  /** Has the end signed, and resolves when that checkpoint waits to be stored, or cannot be made. */
  async finish(): Promise<void> {
    await this.#signing;
    if (this.hasUnsigned && this.#signed?.sequence !== this.#tip.sequence) {
      this.request();
      await this.#signing;
    }
  }

  /** Asks for no signature any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelDue?.();
    for (const cancel of this.#cancelTimers) {
      cancel();
    }
  }

  async #sign<T>(make: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = new AbortController();
    const cancel = this.#timer(() => timeout.abort(new Error('the signer did not answer')), SIGN_TIMEOUT_MS);
    try {
      const made = await untilAborted(make(timeout.signal), timeout.signal);
      this.#trouble = undefined;
      this.#failures = 0;
      return made;
    } catch (cause) {
      this.#trouble = new AuditError('signing_failed', 'The trail could not be signed', { cause });
      this.#options.logger.error({ err: cause }, 'audit trail not signed');
      throw this.#trouble;
    } finally {
      cancel();
    }
  }

  #unsignedEvents(): number {
    return this.#tip.sequence - (this.#signed?.sequence ?? this.#coveredSequence);
  }

  #isDue(): boolean {
    const { checkpointEvents, checkpointIntervalMs, now } = this.#options;
    const oldestAt = this.#signed === undefined ? this.#oldestAt : this.#oldestBehindAt;
    // Later than the timer: a machine that slept has one that is late.
    const isOld = oldestAt !== undefined && now() - oldestAt > checkpointIntervalMs;
    return this.#unsignedEvents() >= checkpointEvents || (this.#unsignedEvents() > 0 && isOld);
  }

  #retryLater(): void {
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer(() => this.request(), delayMs);
  }

  async #patience(signing: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#timer(resolve, PATIENCE_MS);
    await Promise.race([signing, promise]);
    cancel();
  }

  #timer(callback: () => void, delayMs: number): () => void {
    if (this.#isStopped) {
      return () => {};
    }
    let cancel = (): void => {};
    const end = (): void => {
      this.#cancelTimers.delete(end);
      cancel();
    };
    this.#cancelTimers.add(end);
    cancel = this.#options.setTimer(
      () => {
        end();
        callback();
      },
      delayMs,
      { keepsProcessAlive: false },
    );
    return end;
  }
}
