import type { CheckpointCadence } from '../chain/cadence.ts';
import {
  CHECKPOINT_KIND,
  createTombstone,
  TOMBSTONE_KIND,
  type AuditCheckpoint,
  type Tombstone,
} from '../chain/checkpoint.ts';
import { Checkpointer } from '../chain/checkpointer.ts';
import { GENESIS, type ChainTip } from '../chain/record.ts';
import type { TextSigner } from '../chain/signer.ts';
import type { SetTimer } from '../clock.ts';
import type { CompressingFileSystem } from '../disk/compressed-segments.ts';
import type { DiskReserve } from '../disk/disk-reserve.ts';
import { DiskTrouble } from '../disk/full-disk.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encode.ts';
import type { Logger } from '../logger.ts';
import { GroupCommit, type WaitingEvent } from './commit-group.ts';
import { RecordGroup } from './record-group.ts';
import type { RecoveredLog } from './recovery.ts';
import { SegmentFiles, type LogSegment } from './segment-files.ts';
import { HEADER_KIND, type BrokenChain, type OpenIntent, type SegmentHeader } from './segment-header.ts';

/** What a log is made of. */
export interface SegmentLogOptions extends CheckpointCadence {
  readonly directory: string;
  readonly fileSystem: CompressingFileSystem;
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number;
  readonly compressSegments: boolean;
  readonly signer: TextSigner;
  readonly reserve: DiskReserve;
  /** Whether the directory is still the one that was opened. */
  readonly isLockFound: () => boolean;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly logger: Logger;
  readonly recovered: RecoveredLog;
  /** Called after each commit with what it made durable. */
  readonly onCommit: (events: readonly EncodedEvent[], hasCheckpoint: boolean) => void;
  /** Called with each checkpoint that is durable. */
  readonly onCheckpoint: (checkpoint: AuditCheckpoint) => void;
}

// Keeps a header readable in one piece. More calls at a time than that have other troubles.
const MAX_OPEN_INTENTS = 5000;
const SIGN_TIMEOUT_MS = 10_000;

interface Retiring {
  readonly tombstone: Tombstone;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** All segments up to one that are removed on purpose, and where the chain stood at its end. */
export interface Retirement {
  readonly segment: number;
  readonly tip: ChainTip;
}

/** The append-only record: writes each group of events to the current segment, with checkpoints among them. */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #files: SegmentFiles;
  readonly #trouble: DiskTrouble;
  readonly #openIntents: Map<string, OpenIntent>;
  readonly #commits = new GroupCommit((group) => this.#commitGroup(group));
  readonly #checkpointer: Checkpointer;
  #tip: ChainTip;
  #chainStart: number | undefined;
  #broken: BrokenChain | undefined;
  #retiring: Retiring | undefined;
  #lost: AuditError | undefined;

  constructor(options: SegmentLogOptions) {
    const { tip, broken, openIntents, coveredSequence, chainStart, writerId } = options.recovered;
    this.#options = options;
    this.#files = new SegmentFiles(options);
    this.#trouble = new DiskTrouble(options);
    this.#tip = tip;
    this.#chainStart = chainStart;
    this.#broken = broken;
    this.#openIntents = new Map(openIntents.map((intent) => [intent.id, intent]));
    this.#checkpointer = new Checkpointer({
      ...options,
      writerId,
      tip,
      coveredSequence,
      onReady: () => this.#commits.request(),
    });
  }

  /** The segments, oldest first. Bytes beyond their sizes belong to no acknowledged event. */
  get segments(): readonly LogSegment[] {
    return this.#files.all;
  }

  /** The last durable record. */
  get tip(): ChainTip {
    return this.#tip;
  }

  /** Why nothing is recorded; `undefined` once a commit succeeds, or the disk takes a scratch file again. */
  get failure(): AuditError | undefined {
    return this.#lost ?? this.#trouble.failure;
  }

  /** Why nobody vouches for what is recorded. */
  get trouble(): AuditError | undefined {
    return this.#checkpointer.trouble;
  }

  /** Whether an intent of this log has no outcome. */
  isOpen(intentId: string): boolean {
    return this.#openIntents.has(intentId);
  }

  /** The oldest segment with an intent that has no outcome; Infinity without one. */
  get firstOpenSegment(): number {
    return Math.min(Infinity, ...[...this.#openIntents.values()].map(({ segment }) => segment));
  }

  /**
   * Removes segments once a signed tombstone for them is durable.
   * @throws {AuditError} `unavailable`, `signing_failed`
   */
  async retire(retirement: Retirement): Promise<void> {
    const { signer, recovered, now } = this.#options;
    const signal = AbortSignal.timeout(SIGN_TIMEOUT_MS);
    const removed = { ...retirement, writerId: recovered.writerId };
    const tombstone = await createTombstone(signer, removed, { time: now(), signal });
    await new Promise<void>((resolve, reject) => {
      this.#retiring = { tombstone, resolve, reject };
      this.#commits.request();
    });
    await this.#files.removeUpTo(retirement.segment);
  }

  /** Compresses the segments that are not written to any more. */
  compressFinished(): Promise<void> {
    return this.#files.compressFinished();
  }

  /**
   * Resolves when the event is durable.
   * @throws {AuditError} `unavailable`
   */
  append(event: EncodedEvent): Promise<void> {
    return this.#commits.append(event);
  }

  /** Commits what waits, signs the end and closes the file. Nothing may be appended afterwards. */
  async close(): Promise<void> {
    await this.#commits.finished();
    if (this.#lost === undefined) {
      await this.#checkpointer.finish();
      await this.#commits.finished();
    }
    this.#checkpointer.stop();
    this.#retiring?.reject(new AuditError('closed', 'The audit trail is closed'));
    await this.#trouble.close();
    await this.#files.close();
  }

  get #isNewChain(): boolean {
    return this.#tip.hash === GENESIS.hash;
  }

  async #commitGroup(waiting: readonly WaitingEvent[]): Promise<void> {
    const admitted = this.#admitted(waiting);
    const room = await this.#checkpointer.room();
    const group = admitted.slice(0, room);
    this.#commits.putBack(admitted.slice(room));
    const events = group.map(({ event }) => event);
    const retiring = this.#retiring;
    this.#retiring = undefined;
    let hasCheckpoint: boolean;
    try {
      if (this.#lost !== undefined) {
        throw this.#lost;
      }
      hasCheckpoint = await this.#commit(events, retiring?.tombstone);
    } catch (cause) {
      retiring?.reject(cause);
      await this.#failGroup(group, cause);
      return;
    }
    this.#trouble.succeeded();
    retiring?.resolve();
    for (const { resolve } of group) {
      resolve();
    }
    this.#options.onCommit(events, hasCheckpoint);
  }

  // What is left of a full disk belongs to the calls that are under way.
  #admitted(group: readonly WaitingEvent[]): readonly WaitingEvent[] {
    const failure = this.#trouble.fullDisk;
    if (failure === undefined) {
      return group;
    }
    for (const { event, reject } of group) {
      if (event.intentId === undefined) {
        reject(failure);
      }
    }
    return group.filter(({ event }) => event.intentId !== undefined);
  }

  async #failGroup(group: readonly WaitingEvent[], cause: unknown): Promise<void> {
    const error = new AuditError('unavailable', 'A group of events could not be made durable', { cause });
    if (cause instanceof AuditError && cause.code === 'lost') {
      // Whatever is at those names now is not ours: it is left alone.
      if (this.#lost === undefined) {
        this.#options.logger.error({ err: cause, events: group.length }, 'audit trail lost');
      }
      this.#lost = cause;
    } else {
      this.#trouble.failed(error);
      this.#options.logger.error({ err: error, events: group.length }, 'audit commit failed');
      await this.#files.abandonCurrent();
      if (await this.#trouble.makeRoom(cause)) {
        this.#commits.putBack(group);
        return;
      }
    }
    for (const { reject } of group) {
      reject(error);
    }
  }

  async #commit(events: readonly EncodedEvent[], tombstone: Tombstone | undefined): Promise<boolean> {
    const { segmentBytes } = this.#options;
    const checkpoint = this.#checkpointer.waiting;
    if (events.length === 0 && tombstone === undefined && checkpoint === undefined) {
      return false;
    }
    const segment = await this.#files.writable();
    const group = new RecordGroup(this.#tip, segment);
    if (segment.sizeBytes === 0) {
      group.add(HEADER_KIND, JSON.stringify(await this.#header(segment.number)));
    }
    if (checkpoint !== undefined) {
      group.add(CHECKPOINT_KIND, JSON.stringify(checkpoint));
    }
    if (tombstone !== undefined) {
      group.add(TOMBSTONE_KIND, JSON.stringify(tombstone));
    }
    for (const event of events) {
      group.addEvent(event);
    }
    const { bytes, tip, endOffset } = group.end();
    await this.#files.append(segment, bytes);

    this.#chainStart = this.#isNewChain ? segment.number : this.#chainStart;
    this.#tip = tip;
    this.#broken = undefined;
    const isSegmentEnd = endOffset >= segmentBytes;
    this.#checkpointer.committed({ tip, firstEventAt: events[0]?.time, checkpoint, isSegmentEnd });
    for (const intent of group.opened) {
      this.#openIntents.set(intent.id, intent);
    }
    for (const id of group.closed) {
      this.#openIntents.delete(id);
    }
    if (checkpoint !== undefined) {
      this.#options.onCheckpoint(checkpoint);
    }
    return checkpoint !== undefined;
  }

  // What has no signature at all was not written by this trail: a new chain has one before its first event.
  async #header(number: number): Promise<SegmentHeader> {
    const { now, checkpointEvents, checkpointIntervalMs } = this.#options;
    const { writerId } = this.#options.recovered;
    const previous = this.#files.lastFinished;
    const createdAt = new Date(now()).toISOString();
    const cadence = { checkpointEvents, checkpointIntervalMs };
    const { sequence } = this.#tip;
    const start = { writerId, segment: number, createdAt, sequence, cadence };
    return {
      version: 1,
      writerId,
      segment: number,
      createdAt,
      ...(previous?.sizeBytes !== undefined && {
        previous: { segment: previous.number, sizeBytes: previous.sizeBytes },
      }),
      chainStart: this.#isNewChain ? number : this.#chainStart,
      isFramed: true,
      cadence,
      ...(this.#isNewChain && { origin: await this.#checkpointer.signOrigin(start) }),
      openIntents: [...this.#openIntents.values()].slice(-MAX_OPEN_INTENTS),
      ...(this.#broken && { broken: this.#broken }),
    };
  }
}
