import { readBatch, type Batch } from './batch.ts';
import type { SetTimer } from './clock.ts';
import { writeCursor, type Cursor } from './cursor.ts';
import { AuditError } from './errors.ts';
import type { EncodedEvent } from './event.ts';
import type { AuditFileSystem } from './file-system.ts';
import type { Logger } from './logger.ts';
import { GENESIS, type ChainTip, type LogPosition } from './record.ts';
import type { SegmentLog } from './segment-log.ts';
import type { AuditSink } from './sink.ts';
import { untilAborted } from './until-aborted.ts';

export interface DeliveryOptions {
  readonly sink: AuditSink;
  readonly log: SegmentLog;
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly writerId: string;
  readonly cursor: Cursor | undefined;
  /** Called when records were passed over because they are damaged or missing. */
  readonly onDamage: (damage: NonNullable<Batch['damage']>) => void;
  readonly deliveryIntervalMs: number;
  readonly setTimer: SetTimer;
  readonly random: () => number;
  readonly logger: Logger;
}

const BACKOFF_BASE_MS = 500;
const BACKOFF_MAX_MS = 60_000;

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

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#position = startPosition(options);
    this.#makeDue();
  }

  get sinkName(): string {
    return this.#options.sink.name;
  }

  /** How many records wait for the sink, since when (ms since the epoch), and how many attempts failed, the last why. */
  get status(): { backlog: number; oldestAt: number | undefined; failures: number; lastError: unknown } {
    const backlog = this.#options.log.tip.sequence - this.#position.sequence;
    return { backlog, oldestAt: this.#oldestAt, failures: this.#failures, lastError: this.#lastError };
  }

  /** Takes note of what just became durable. */
  committed(events: readonly EncodedEvent[], hasCheckpoint: boolean): void {
    if (this.#stopping.signal.aborted) return;
    this.#oldestAt ??= events[0]?.time;
    if (events.some((event) => event.deliverAtOnce)) return this.#makeDue();
    if (events.length === 0 && !(hasCheckpoint && this.#options.sink.takesCheckpoints)) return;
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
    if (this.#isAt(until)) return;
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
    if (this.#isAt(tip)) return;
    this.#dueSequence = tip.sequence;
    this.#isCheckpointDue = true;
    this.#draining ??= this.#drain().finally(() => (this.#draining = undefined));
  }

  get #isDue(): boolean {
    return this.#position.sequence < this.#dueSequence || this.#isCheckpointDue;
  }

  #isAt(tip: ChainTip): boolean {
    return this.#position.sequence > tip.sequence || this.#position.hash === tip.hash;
  }

  async #drain(): Promise<void> {
    const { signal } = this.#stopping;
    let batch: Batch | undefined;
    let failures = 0;
    while (this.#isDue && !signal.aborted) {
      try {
        // A retry repeats the batch as it was, so its idempotency key stays the same.
        batch ??= await this.#read();
        await this.#deliver(batch);
        await this.#advance(batch.end);
        batch = undefined;
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#failures += 1;
        this.#lastError = error;
        this.#options.logger.warn({ error, sink: this.sinkName, failures }, 'audit delivery failed');
        await this.#backOff(failures);
      }
    }
  }

  async #read(): Promise<Batch> {
    const { directory, fileSystem, log } = this.#options;
    const batch = await readBatch(directory, fileSystem, log.segments, this.#position);
    const [first] = batch.events;
    if (first !== undefined) this.#oldestAt = Date.parse(first.time);
    if (batch.damage !== undefined) this.#options.onDamage(batch.damage);
    return batch;
  }

  async #deliver({ events, checkpoints, end }: Batch): Promise<void> {
    const { sink, writerId } = this.#options;
    const [first] = events;
    const wanted = sink.takesCheckpoints ? checkpoints : [];
    if (first === undefined && wanted.length === 0) return;
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
    if (position.sequence >= log.tip.sequence) this.#oldestAt = undefined;
    if (this.#isAt(log.tip)) this.#isCheckpointDue = false;
    try {
      await writeCursor(directory, fileSystem, this.sinkName, { version: 1, writerId, ...position });
    } catch (error) {
      // The events arrived. A lost cursor only means that a later run sends them again.
      this.#lastError = error;
      logger.error({ error, sink: this.sinkName }, 'audit cursor not written');
    }
    for (const flush of this.#flushes) if (this.#isAt(flush.until) || this.#isAt(log.tip)) flush.resolve();
  }

  #backOff(failures: number): Promise<void> {
    const { random, setTimer } = this.#options;
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, 20));
    return new Promise((resolve) => {
      const cancel = setTimer(() => this.#endBackoff?.(), random() * ceilingMs, {
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
  if (cursor !== undefined)
    logger.warn({ sink: sink.name }, 'audit cursor belongs to another trail, delivering from the start');
  return { segment: log.segments[0]?.number ?? 0, offset: 0, ...GENESIS };
}
