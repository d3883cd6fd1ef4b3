import { DEFAULT_CADENCE, type CheckpointCadence } from './cadence.ts';
import { isCheckpointSigned, parseCheckpoint, type AuditCheckpoint } from './checkpoint.ts';
import { EVENT_KIND, GENESIS, type ChainTip, type StoredRecord } from './record.ts';
import type { PublicKeys } from './signer.ts';

// A signature that is asked for is made elsewhere, and stored with the next commit.
const GRACE_MS = 10_000;
// A trail without checkpoints must not fill the memory of who verifies it.
const MAX_REMEMBERED = 200_000;

/** What is in a record besides its place in the chain. */
interface RecordDetails {
  /** When an event was made, in milliseconds since the Unix epoch. */
  readonly time: number | undefined;
  /** What a header says of the records behind it; believed once a checkpoint covers it. */
  readonly cadence: CheckpointCadence | undefined;
  /** Whether it is the first record of a chain, and signed as such. */
  readonly isOrigin: boolean;
}

interface Uncovered extends Omit<RecordDetails, 'isOrigin'> {
  readonly sequence: number;
}

/** Follows one chain and knows which of its records a checkpoint vouches for. */
export class Coverage {
  readonly #keys: PublicKeys | undefined;
  readonly #uncovered = new Map<string, Uncovered>();
  #cadence = DEFAULT_CADENCE;
  #coveredSequence: number;
  #lastSequence: number;
  /** A chain is signed from its first record on; what is before `start` is not looked at. */
  #isSigned: boolean;

  /** Begins behind `start`. Without keys a checkpoint is believed by what it says. */
  constructor(start: ChainTip, keys: PublicKeys | undefined) {
    this.#keys = keys;
    this.#isSigned = start.hash !== GENESIS.hash;
    this.#coveredSequence = this.#lastSequence = start.sequence;
    this.#uncovered.set(start.hash, { sequence: start.sequence, time: undefined, cadence: undefined });
  }

  /** The last event that a checkpoint vouches for, or the last one before the records looked at. */
  get coveredSequence(): number {
    return this.#coveredSequence;
  }

  /** Events that no checkpoint vouches for. */
  get uncoveredEvents(): number {
    return this.#lastSequence - this.#coveredSequence;
  }

  /** Takes the next record of the chain; `false` when it is a checkpoint that is not to be believed. */
  add(record: StoredRecord, { time, cadence, isOrigin }: RecordDetails): boolean {
    const checkpoint = parseCheckpoint(record);
    const isBelieved =
      checkpoint === undefined ||
      (this.#isAbout(checkpoint, record) &&
        (this.#keys === undefined || isCheckpointSigned(checkpoint, this.#keys)));
    if (checkpoint !== undefined && isBelieved) {
      this.#cover(checkpoint);
    }
    if (isOrigin) {
      this.#isSigned = true;
      this.#cadence = cadence ?? this.#cadence;
    }
    this.#uncovered.set(record.hash, { sequence: record.sequence, time, cadence });
    if (record.kind === EVENT_KIND) {
      this.#lastSequence = record.sequence;
    }
    if (this.#uncovered.size > MAX_REMEMBERED) {
      this.#forgetFirst();
    }
    return isBelieved;
  }

  /**
   * Whether more events are without a signature, or for longer, than the writer leaves any. `at` is when the trail was
   * seen as it is, in milliseconds since the Unix epoch.
   */
  isOverdue(at: number): boolean {
    if (this.uncoveredEvents <= 0) {
      return false;
    }
    const { checkpointEvents, checkpointIntervalMs } = this.#cadence;
    return (
      !this.#isSigned ||
      this.uncoveredEvents > checkpointEvents ||
      this.#oldestTime() + checkpointIntervalMs + GRACE_MS < at
    );
  }

  // The record before it may be damaged, which is a finding of its own.
  #isAbout({ hash, sequence }: AuditCheckpoint, record: StoredRecord): boolean {
    const isLast = hash === record.previousHash && sequence === record.sequence;
    return isLast || this.#uncovered.get(hash)?.sequence === sequence;
  }

  #oldestTime(): number {
    for (const { time } of this.#uncovered.values()) {
      if (time !== undefined) {
        return time;
      }
    }
    return Infinity;
  }

  #cover({ hash, sequence }: AuditCheckpoint): void {
    for (const [passed, { cadence }] of this.#uncovered) {
      this.#cadence = cadence ?? this.#cadence;
      this.#uncovered.delete(passed);
      if (passed === hash) {
        break;
      }
    }
    // Another checkpoint may vouch for it once more.
    this.#uncovered.set(hash, { sequence, time: undefined, cadence: undefined });
    this.#coveredSequence = sequence;
    this.#isSigned = true;
  }

  #forgetFirst(): void {
    const [first] = this.#uncovered.keys();
    if (first !== undefined) {
      this.#uncovered.delete(first);
    }
  }
}
