import { CheckpointCadence } from '../chain/checkpoint-cadence.ts';
import { CHECKPOINT_KIND, createCheckpoint, createTombstone, TOMBSTONE_KIND } from '../chain/checkpoint.ts';
import type { ChainTip } from '../chain/record.ts';
import type { Signer } from '../chain/signing.ts';
import type { SetTimer } from '../clock.ts';
import type { DiskReserve } from '../disk/disk-reserve.ts';
import type { AuditFileSystem } from '../disk/file-system.ts';
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
export interface SegmentLogOptions {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number;
  readonly checkpointEvents: number;
  readonly checkpointIntervalMs: number;
  readonly signer: Signer;
  readonly reserve: DiskReserve;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly logger: Logger;
  readonly recovered: RecoveredLog;
  /** Called after each commit with what it made durable. */
  readonly onCommit: (events: readonly EncodedEvent[], hasCheckpoint: boolean) => void;
}

// Keeps a header readable in one piece. More calls at a time than that have other troubles.
const MAX_OPEN_INTENTS = 5000;

interface Retiring {
  readonly retirement: Retirement;
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
  readonly #cadence: CheckpointCadence;
  #tip: ChainTip;
  #broken: BrokenChain | undefined;
  #retiring: Retiring | undefined;

  constructor(options: SegmentLogOptions) {
    const { tip, broken, openIntents, unsignedEvents } = options.recovered;
    this.#options = options;
    this.#files = new SegmentFiles(options);
    this.#trouble = new DiskTrouble(options);
    this.#tip = tip;
    this.#broken = broken;
    this.#openIntents = new Map(openIntents.map((intent) => [intent.id, intent]));
    this.#cadence = new CheckpointCadence({
      ...options,
      unsignedEvents,
      onDue: () => this.#makeCheckpoint(),
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

  /** Why the last commit failed; `undefined` once one succeeds, or the disk takes a scratch file again. */
  get failure(): AuditError | undefined {
    return this.#trouble.failure;
  }

  /** The oldest segment with an intent that has no outcome; Infinity without one. */
  get firstOpenSegment(): number {
    return Math.min(Infinity, ...[...this.#openIntents.values()].map(({ segment }) => segment));
  }

  /**
   * Removes segments once a signed tombstone for them is durable.
   * @throws {AuditError} `unavailable`
   */
  async retire(retirement: Retirement): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#retiring = { retirement, resolve, reject };
      this.#makeCheckpoint();
    });
    await this.#files.removeUpTo(retirement.segment);
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
    if (this.#cadence.hasUnsigned || this.#commits.isWaiting) {
      this.#makeCheckpoint();
    }
    await this.#commits.finished();
    this.#cadence.stop();
    await this.#trouble.close();
    await this.#files.close();
  }

  #makeCheckpoint(): void {
    this.#cadence.request();
    this.#commits.request();
  }

  async #commitGroup(waiting: readonly WaitingEvent[]): Promise<void> {
    const group = this.#admitted(waiting);
    if (group.length === 0 && !this.#cadence.isRequested) {
      return;
    }
    const events = group.map(({ event }) => event);
    let hasCheckpoint: boolean;
    try {
      hasCheckpoint = await this.#commit(events);
    } catch (cause) {
      await this.#failGroup(group, cause);
      return;
    }
    this.#trouble.succeeded();
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
    this.#trouble.failed(error);
    this.#cadence.failed();
    this.#options.logger.error({ err: error, events: group.length }, 'audit commit failed');
    await this.#files.abandonCurrent();
    if (await this.#trouble.makeRoom(cause)) {
      this.#commits.putBack(group);
      return;
    }
    for (const { reject } of group) {
      reject(error);
    }
  }

  async #commit(events: readonly EncodedEvent[]): Promise<boolean> {
    const { segmentBytes, signer, now, recovered } = this.#options;
    const { writerId } = recovered;
    const isDue = this.#cadence.takeDue(events.length);
    const segment = await this.#files.writable();
    const group = new RecordGroup(this.#tip, segment);
    if (segment.sizeBytes === 0) {
      group.add(HEADER_KIND, JSON.stringify(this.#header(segment.number)));
    }
    for (const event of events) {
      group.addEvent(event);
    }
    const hasCheckpoint = isDue || group.endOffset >= segmentBytes;
    if (hasCheckpoint) {
      const checkpoint = createCheckpoint(signer, writerId, group.tip, now());
      group.add(CHECKPOINT_KIND, JSON.stringify(checkpoint));
    }
    const retiring = this.#retiring;
    this.#retiring = undefined;
    try {
      if (retiring !== undefined) {
        const tombstone = createTombstone(signer, { writerId, ...retiring.retirement }, now());
        group.add(TOMBSTONE_KIND, JSON.stringify(tombstone));
      }
      await segment.file.writeDurably(group.bytes, segment.sizeBytes);
    } catch (error) {
      retiring?.reject(error);
      throw error;
    }

    this.#files.grown(segment, group.endOffset);
    this.#tip = group.tip;
    this.#broken = undefined;
    retiring?.resolve();
    this.#cadence.committed(events.length, hasCheckpoint);
    for (const intent of group.opened) {
      this.#openIntents.set(intent.id, intent);
    }
    for (const id of group.closed) {
      this.#openIntents.delete(id);
    }
    return hasCheckpoint;
  }

  #header(number: number): SegmentHeader {
    const { recovered, now } = this.#options;
    const previous = this.#files.lastFinished;
    return {
      version: 1,
      writerId: recovered.writerId,
      segment: number,
      createdAt: new Date(now()).toISOString(),
      ...(previous?.sizeBytes !== undefined && {
        previous: { segment: previous.number, sizeBytes: previous.sizeBytes },
      }),
      openIntents: [...this.#openIntents.values()].slice(-MAX_OPEN_INTENTS),
      ...(this.#broken && { broken: this.#broken }),
    };
  }
}
