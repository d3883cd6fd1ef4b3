import { GENESIS, type ChainTip, type LogPosition } from '../chain/record.ts';
import type { SetTimer } from '../clock.ts';
import type { AuditFileSystem } from '../disk/file-system.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encode.ts';
import type { AuditEvent } from '../event/event.ts';
import type { Logger } from '../logger.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import { untilAborted } from '../until-aborted.ts';
import { MAX_BATCH_EVENTS, readBatch, type Batch } from './batch.ts';
import { writeCursor, type Cursor } from './cursor.ts';
import { quarantine } from './quarantine.ts';
import type { AuditSink } from './sink.ts';

export interface DeliveryOptions {
  readonly sink: AuditSink;
  readonly log: SegmentLog;
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly writerId: string;
  readonly cursor: Cursor | undefined;
  /** Called when records were passed over because they are damaged or missing. */
  readonly onDamage: (damage: NonNullable<Batch['damage']>) => void;
  /** Called when the sink does not take an event, and the event was set aside. */
  readonly onQuarantine: (sink: string, event: AuditEvent) => void;
  readonly deliveryIntervalMs: number;
  readonly setTimer: SetTimer;
  readonly random: () => number;
  readonly logger: Logger;
}

const BACKOFF_BASE_MS = 500;
const BACKOFF_MAX_MS = 60_000;
// A sink that asks for more is asked again all the same.
const RETRY_AFTER_MAX_MS = 60 * 60 * 1000;
const MAX_QUARANTINED_IN_A_ROW = 10;

/**
 * Ships the log to one sink, strictly in order and one batch at a time. What is due is a sequence number
 * (`#dueSequence`): urgent events, the interval timer and flushes only raise it, so any number of them while a
 * request is under way costs one more request, not one each.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #stopping = new AbortController();
  readonly #flushes = new Set<{ until: ChainTip; resolve: () => void }>();
  #position: LogPosition;
  #dueSequence = 0;
  /** A checkpoint has no number of its own that could become due. */
  #isCheckpointDue = false;
  #draining: Promise<void> | undefined;
  #cancelInterval: (() => void) | undefined;
  #endBackoff: (() => void) | undefined;
  #oldestAt: number | undefined;
  #lastError: unknown;
  #failures = 0;
  /** The segment that the cursor on disk is in: nothing older is needed any more. */
  #keptFrom: number;
  #limit = MAX_BATCH_EVENTS;
  #quarantined = 0;
  #quarantinedInARow = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#position = startPosition(options);
    this.#keptFrom = this.#position.segment;
    this.#makeDue();
  }

  get sinkName(): string {
    return this.#options.sink.name;
  }

  /** The oldest segment that it still needs. */
  get keptFrom(): number {
    return this.#keptFrom;
  }

  /** How many records wait for the sink, since when (in milliseconds since the Unix epoch), and how many attempts failed, the last why. */
  get status(): {
    backlog: number;
    oldestAt: number | undefined;
    failures: number;
    quarantined: number;
    lastError: unknown;
  } {
    const backlog = this.#options.log.tip.sequence - this.#position.sequence;
    return {
      backlog,
      oldestAt: this.#oldestAt,
      failures: this.#failures,
      quarantined: this.#quarantined,
      lastError: this.#lastError,
    };
  }

  /** Takes note of what just became durable. */
  committed(events: readonly EncodedEvent[], hasCheckpoint: boolean): void {
    if (this.#stopping.signal.aborted) {
      return;
    }
    this.#oldestAt ??= events[0]?.time;
    if (events.some((event) => event.deliverAtOnce)) {
      return this.#makeDue();
    }
    if (events.length === 0 && !(hasCheckpoint && this.#options.sink.takesCheckpoints)) {
      return;
    }
    this.#cancelInterval ??= this.#options.setTimer(
      () => {
        this.#cancelInterval = undefined;
        this.#makeDue();
      },
      this.#options.deliveryIntervalMs,
      { keepsProcessAlive: false },
    );
  }

  /** Delivers everything durable now, without waiting for the interval or the end of a back-off. */
  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const until = this.#options.log.tip;
    if (this.#isAt(until)) {
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const flush = { until, resolve };
    this.#flushes.add(flush);
    try {
      this.#makeDue();
      this.#endBackoff?.();
      await untilAborted(promise, signal);
    } finally {
      this.#flushes.delete(flush);
    }
  }

  /** Ends the attempt under way. What is not delivered stays in the log for the next run. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AuditError('closed', 'The audit trail is closing'));
    this.#cancelInterval?.();
    this.#endBackoff?.();
    await this.#draining;
  }

  #makeDue(): void {
    const { tip } = this.#options.log;
    if (this.#isAt(tip)) {
      return;
    }
    this.#dueSequence = tip.sequence;
    this.#isCheckpointDue = true;
    this.#draining ??= this.#drain();
  }

  get #isDue(): boolean {
    return this.#position.sequence < this.#dueSequence || this.#isCheckpointDue;
  }

  #isAt(tip: ChainTip): boolean {
    return this.#position.sequence > tip.sequence || this.#position.hash === tip.hash;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#isDue && !this.#stopping.signal.aborted) {
        await this.#shipBatch();
      }
    } finally {
      this.#draining = undefined;
    }
  }

  async #shipBatch(): Promise<void> {
    const { signal } = this.#stopping;
    let batch: Batch | undefined;
    for (let failures = 0; !signal.aborted;) {
      try {
        // A retry repeats the batch as it was, so its idempotency key stays the same.
        batch ??= await this.#read();
        await this.#deliver(batch);
        await this.#advance(batch.end);
        if (batch.events.length > 0) {
          this.#quarantinedInARow = 0;
        }
        this.#limit = Math.min(MAX_BATCH_EVENTS, this.#limit * 2);
        return;
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        const narrowed = batch && (await this.#narrow(batch, error));
        if (narrowed === 'read again') {
          return;
        }
        if (narrowed !== undefined) {
          batch = narrowed;
          continue;
        }
        failures += 1;
        this.#failures += 1;
        this.#lastError = error;
        this.#options.logger.warn({ err: error, sink: this.sinkName, failures }, 'audit delivery failed');
        await this.#backOff(failures, error);
      }
    }
  }

  /**
   * Narrows a batch that the sink refused because of what is in it: first its checkpoints go, then half of its
   * events, and the one event that is left at last is set aside. `undefined` when there is nothing to narrow: a
   * sink that takes nothing at all is out of order, is asked again later, and no more events are set aside.
   */
  async #narrow(batch: Batch, error: unknown): Promise<Batch | 'read again' | undefined> {
    if (!(error instanceof AuditError) || error.code !== 'rejected_by_sink') {
      return undefined;
    }
    const { directory, fileSystem, logger, onQuarantine } = this.#options;
    if (batch.checkpoints.length > 0) {
      logger.warn({ err: error, sink: this.sinkName }, 'audit checkpoints not accepted');
      return { ...batch, checkpoints: [] };
    }
    const [poison] = batch.events;
    if (batch.events.length > 1) {
      this.#limit = Math.ceil(batch.events.length / 2);
      return 'read again';
    }
    if (poison === undefined || this.#quarantinedInARow >= MAX_QUARANTINED_IN_A_ROW) {
      return undefined;
    }
    try {
      await quarantine(directory, fileSystem, this.sinkName, poison);
    } catch (quarantineError) {
      logger.error({ err: quarantineError, sink: this.sinkName }, 'audit quarantine not written');
      return undefined;
    }
    this.#quarantined += 1;
    this.#quarantinedInARow += 1;
    onQuarantine(this.sinkName, poison);
    await this.#advance(batch.end);
    return 'read again';
  }

  async #read(): Promise<Batch> {
    const { directory, fileSystem, log } = this.#options;
    const batch = await readBatch(directory, fileSystem, log.segments, this.#position, this.#limit);
    const [first] = batch.events;
    if (first !== undefined) {
      this.#oldestAt = Date.parse(first.time);
    }
    if (batch.damage !== undefined) {
      this.#options.onDamage(batch.damage);
    }
    // Nothing is left although the chain is longer: the files are gone. What is written next has its place.
    if (batch.end === this.#position) {
      return { ...batch, end: { ...batch.end, ...log.tip } };
    }
    return batch;
  }

  async #deliver({ events, checkpoints, end }: Batch): Promise<void> {
    const { sink, writerId } = this.#options;
    const [first] = events;
    const wanted = sink.takesCheckpoints ? checkpoints : [];
    if (first === undefined && wanted.length === 0) {
      return;
    }
    const { signal } = this.#stopping;
    const range = first === undefined ? `checkpoint-${wanted[0]?.id}` : `${first.sequence}-${end.sequence}`;
    const delivered = sink.deliver(events, {
      signal,
      idempotencyKey: `${writerId}:${range}`,
      ...(wanted.length > 0 && { checkpoints: wanted }),
    });
    await untilAborted(delivered, signal);
  }

  async #advance(position: LogPosition): Promise<void> {
    const { directory, fileSystem, writerId, log, logger } = this.#options;
    this.#position = position;
    this.#lastError = undefined;
    if (position.sequence >= log.tip.sequence) {
      this.#oldestAt = undefined;
    }
    if (this.#isAt(log.tip)) {
      this.#isCheckpointDue = false;
    }
    try {
      await writeCursor(directory, fileSystem, this.sinkName, { version: 1, writerId, ...position });
      this.#keptFrom = position.segment;
    } catch (error) {
      // The events arrived. A lost cursor only means that a later run sends them again.
      this.#lastError = error;
      logger.error({ err: error, sink: this.sinkName }, 'audit cursor not written');
    }
    for (const flush of this.#flushes) {
      if (this.#isAt(flush.until) || this.#isAt(log.tip)) {
        flush.resolve();
      }
    }
  }

  #backOff(failures: number, error: unknown): Promise<void> {
    const { random, setTimer } = this.#options;
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, 20));
    const askedMs = error instanceof AuditError ? (error.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(Math.min(askedMs, RETRY_AFTER_MAX_MS), random() * ceilingMs);
    return new Promise((resolve) => {
      const cancel = setTimer(() => this.#endBackoff?.(), delayMs, {
        keepsProcessAlive: this.#flushes.size > 0,
      });
      this.#endBackoff = () => {
        cancel();
        this.#endBackoff = undefined;
        resolve();
      };
    });
  }
}

function startPosition({ cursor, writerId, log, sink, logger }: DeliveryOptions): LogPosition {
  if (cursor?.writerId === writerId) {
    const { segment, offset, sequence, hash } = cursor;
    return { segment, offset, sequence, hash };
  }
  if (cursor !== undefined) {
    logger.warn({ sink: sink.name }, 'audit cursor belongs to another trail, delivering from the start');
  }
  return { segment: log.segments[0]?.number ?? 0, offset: 0, ...GENESIS };
}
