import { CHECKPOINT_KIND, createCheckpoint, createTombstone, TOMBSTONE_KIND } from '../chain/checkpoint.ts';
import type { ChainTip } from '../chain/record.ts';
import type { Signer } from '../chain/signing.ts';
import type { SetTimer } from '../clock.ts';
import type { DiskReserve } from '../disk/disk-reserve.ts';
import type { AuditFileSystem } from '../disk/file-system.ts';
import { DiskTrouble } from '../disk/full-disk.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/event.ts';
import type { Logger } from '../logger.ts';
import { RecordGroup } from './commit-group.ts';
import type { RecoveredLog } from './recovery.ts';
import { SegmentFiles, type LogSegment } from './segment-files.ts';
import { HEADER_KIND, type BrokenChain, type OpenIntent, type SegmentHeader } from './segment-header.ts';

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

interface Waiting {
  readonly event: EncodedEvent;
  readonly resolve: () => void;
  readonly reject: (error: AuditError) => void;
}

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

/**
 * The append-only record. Commits when idle: whatever waits when a commit ends is the next group, so one
 * caller waits for one sync and sixty-four callers share one. No timer delays a commit.
 */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #files: SegmentFiles;
  readonly #trouble: DiskTrouble;
  readonly #openIntents: Map<string, OpenIntent>;
  #tip: ChainTip;
  #broken: BrokenChain | undefined;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  #unsignedEvents: number;
  #isCheckpointDue = false;
  #cancelCheckpoint: (() => void) | undefined;
  #retiring: Retiring | undefined;

  constructor(options: SegmentLogOptions) {
    const { tip, broken, openIntents, unsignedEvents } = options.recovered;
    this.#options = options;
    this.#files = new SegmentFiles(options);
    this.#trouble = new DiskTrouble(options);
    this.#tip = tip;
    this.#broken = broken;
    this.#openIntents = new Map(openIntents.map((intent) => [intent.id, intent]));
    this.#unsignedEvents = unsignedEvents;
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
   * @throws AuditError `unavailable`
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
   * @throws AuditError `unavailable`
   */
  append(event: EncodedEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject });
      this.#committing ??= this.#commitWaiting();
    });
  }

  /** Commits what waits, signs the end and closes the file. Nothing may be appended afterwards. */
  async close(): Promise<void> {
    if (this.#unsignedEvents > 0 || this.#waiting.length > 0) this.#makeCheckpoint();
    await this.#committing;
    this.#cancelCheckpoint?.();
    await this.#trouble.close();
    await this.#files.close();
  }

  #makeCheckpoint(): void {
    this.#isCheckpointDue = true;
    this.#committing ??= this.#commitWaiting();
  }

  async #commitWaiting(): Promise<void> {
    try {
      for (;;) {
        // Until the promises that are settled now have run their course: calls made together, and callers
        // whose last commit just ended, share one group.
        await new Promise<void>((resolve) => process.nextTick(resolve));
        if (this.#waiting.length === 0 && !this.#isCheckpointDue) return;
        const group = this.#waiting;
        this.#waiting = [];
        await this.#commitGroup(group);
      }
    } finally {
      this.#committing = undefined;
    }
  }

  async #commitGroup(waiting: readonly Waiting[]): Promise<void> {
    const group = this.#admitted(waiting);
    if (group.length === 0 && !this.#isCheckpointDue) return;
    const events = group.map(({ event }) => event);
    let hasCheckpoint: boolean;
    try {
      hasCheckpoint = await this.#commit(events);
    } catch (cause) {
      await this.#failGroup(group, cause);
      return;
    }
    this.#trouble.succeeded();
    for (const { resolve } of group) resolve();
    this.#options.onCommit(events, hasCheckpoint);
    this.#checkpointLater();
  }

  // What is left of a full disk belongs to the calls that are under way.
  #admitted(group: readonly Waiting[]): readonly Waiting[] {
    const failure = this.#trouble.fullDisk;
    if (failure === undefined) return group;
    for (const { event, reject } of group) if (event.intentId === undefined) reject(failure);
    return group.filter(({ event }) => event.intentId !== undefined);
  }

  async #failGroup(group: readonly Waiting[], cause: unknown): Promise<void> {
    const error = new AuditError('unavailable', 'A group of events could not be made durable', { cause });
    this.#trouble.failed(error);
    this.#isCheckpointDue = false;
    this.#options.logger.error({ error, events: group.length }, 'audit commit failed');
    await this.#files.abandonCurrent();
    if (await this.#trouble.makeRoom(cause)) {
      this.#waiting.unshift(...group);
      return;
    }
    for (const { reject } of group) reject(error);
  }

  async #commit(events: readonly EncodedEvent[]): Promise<boolean> {
    const { segmentBytes, checkpointEvents, signer, now, recovered } = this.#options;
    const isDue = this.#isCheckpointDue;
    this.#isCheckpointDue = false;
    const segment = await this.#files.writable();
    const group = new RecordGroup(this.#tip, segment);
    if (segment.sizeBytes === 0) group.add(HEADER_KIND, JSON.stringify(this.#header(segment.number)));
    for (const event of events) group.addEvent(event);
    const unsignedEvents = this.#unsignedEvents + events.length;
    const hasCheckpoint = isDue || unsignedEvents >= checkpointEvents || group.endOffset >= segmentBytes;
    if (hasCheckpoint)
      group.add(
        CHECKPOINT_KIND,
        JSON.stringify(createCheckpoint(signer, recovered.writerId, group.tip, now())),
      );
    const retiring = this.#retiring;
    this.#retiring = undefined;
    try {
      if (retiring !== undefined) {
        const removed = { writerId: recovered.writerId, ...retiring.retirement };
        group.add(TOMBSTONE_KIND, JSON.stringify(createTombstone(signer, removed, now())));
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
    this.#unsignedEvents = hasCheckpoint ? 0 : unsignedEvents;
    for (const intent of group.opened) this.#openIntents.set(intent.id, intent);
    for (const id of group.closed) this.#openIntents.delete(id);
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

  // The last events of a quiet hour are signed too, not only when more follow.
  #checkpointLater(): void {
    if (this.#unsignedEvents === 0) {
      this.#cancelCheckpoint?.();
      this.#cancelCheckpoint = undefined;
      return;
    }
    this.#cancelCheckpoint ??= this.#options.setTimer(
      () => {
        this.#cancelCheckpoint = undefined;
        this.#makeCheckpoint();
      },
      this.#options.checkpointIntervalMs,
      { keepsProcessAlive: false },
    );
  }
}
