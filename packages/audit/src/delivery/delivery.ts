import type { ChainTip, LogPosition } from '../chain/record.ts';
import type { SetTimer } from '../clock.ts';
import type { AuditFileSystem } from '../disk/file-system.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encode.ts';
import type { AuditEvent } from '../event/event.ts';
import type { Logger } from '../logger.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import { untilAborted } from '../until-aborted.ts';
import { backoffMs } from './backoff.ts';
import type { Batch } from './batch.ts';
import { startPosition, writeCursor, type Cursor } from './cursor.ts';
import { createLogReader, type LogReader } from './log-reader.ts';
import { Quarantine } from './quarantine.ts';
import { idempotencyKeyOf, type AuditSink } from './sink.ts';

/** What is delivered to whom. */
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
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly random: () => number;
  readonly logger: Logger;
}

/** How far a delivery got. */
export interface DeliveryStatus {
  /** How many records wait for the sink. */
  readonly backlog: number;
  /** When the oldest of them was made, in milliseconds since the Unix epoch. */
  readonly oldestAt: number | undefined;
  /** How many attempts failed. */
  readonly failures: number;
  /** How many events were set aside. */
  readonly quarantined: number;
  /** Why the last attempt failed; `undefined` once one succeeds. */
  readonly lastError: unknown;
}

// As many as of a sink in trouble.
const MAX_READS = 10;

/**
 * Ships the log to one sink, strictly in order and one batch at a time. What is due is a sequence number
 * (`#dueSequence`): urgent events, the interval timer and flushes only raise it, so any number of them while a
 * request is under way costs one more request, not one each.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #reader: LogReader;
  readonly #quarantine: Quarantine;
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
  /** How many attempts failed since one succeeded. */
  #tries = 0;
  /** The segment that the cursor on disk is in: nothing older is needed any more. */
  #keptFrom: number;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#reader = createLogReader(options);
    this.#quarantine = new Quarantine({
      ...options,
      sink: options.sink.name,
      reader: this.#reader,
      deliver: (batch) => this.#deliver(batch),
    });
    this.#position = startPosition(options, options.log.segments[0]?.number);
    this.#keptFrom = this.#position.segment;
    this.#makeDue();
  }

  /** The name of the sink. */
  get sinkName(): string {
    return this.#options.sink.name;
  }

  /** The oldest segment that it still needs. */
  get keptFrom(): number {
    return this.#keptFrom;
  }

  /** How far it got. */
  get status(): DeliveryStatus {
    return {
      backlog: this.#options.log.tip.sequence - this.#position.sequence,
      oldestAt: this.#oldestAt,
      failures: this.#failures,
      quarantined: this.#quarantine.events,
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
    while (!signal.aborted) {
      try {
        // A retry repeats the batch as it was, so its idempotency key stays the same.
        batch ??= await this.#read();
        await this.#deliver(batch);
        this.#quarantine.accepted(batch);
        await this.#advance(batch.end);
        return;
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        this.#tries += 1;
        const next = await this.#afterFailure(batch, error);
        switch (next.step) {
          case 'resend':
            ({ batch } = next);
            continue;
          case 'go on':
            await this.#advance(next.from);
            return;
          case 'wait':
            ({ batch } = next);
            break;
          case 'read less':
            if (next.isAtOnce) {
              return;
            }
            batch = undefined;
            break;
          default:
            next satisfies never;
        }
        await this.#waitAfter(error);
      }
    }
  }

  #afterFailure(batch: Batch | undefined, error: unknown): ReturnType<Quarantine['narrow']> {
    return batch === undefined ? this.#passOver() : this.#quarantine.narrow(batch, error, this.#tries);
  }

  /** Goes on with the next segment when one stays unreadable although others can be read. */
  async #passOver(): ReturnType<Quarantine['narrow']> {
    const { segment, sequence } = this.#position;
    const from = this.#tries < MAX_READS ? undefined : await this.#reader.positionAfter(this.#position);
    if (from === undefined) {
      return { step: 'wait' };
    }
    this.#options.onDamage({ segment, afterSequence: sequence });
    return { step: 'go on', from };
  }

  async #waitAfter(error: unknown): Promise<void> {
    const { logger, random, now } = this.#options;
    this.#failures += 1;
    // What cannot be read does not say how old it is; it is at least as old as the first attempt.
    this.#oldestAt ??= now();
    this.#lastError = error;
    logger.warn({ err: error, sink: this.sinkName, failures: this.#tries }, 'audit delivery failed');
    await this.#backOff(backoffMs(this.#tries, error, random()));
  }

  async #read(): Promise<Batch> {
    const { log, onDamage } = this.#options;
    const batch = await this.#reader.read(this.#position, this.#quarantine.limit);
    const [first] = batch.events;
    if (first !== undefined) {
      this.#oldestAt = Date.parse(first.time);
    }
    if (batch.damage !== undefined) {
      onDamage(batch.damage);
    }
    // Nothing is left although the chain is longer: the files are gone. What is written next has its place.
    if (batch.end === this.#position) {
      return { ...batch, end: { ...batch.end, ...log.tip } };
    }
    return batch;
  }

  async #deliver({ events, checkpoints }: Pick<Batch, 'events' | 'checkpoints'>): Promise<void> {
    const { sink, writerId } = this.#options;
    const wanted = sink.takesCheckpoints ? checkpoints : [];
    if (events.length === 0 && wanted.length === 0) {
      return;
    }
    const { signal } = this.#stopping;
    const delivered = sink.deliver(events, {
      signal,
      idempotencyKey: idempotencyKeyOf(writerId, events, wanted),
      checkpoints: wanted.length > 0 ? wanted : undefined,
    });
    await untilAborted(delivered, signal);
  }

  async #advance(position: LogPosition): Promise<void> {
    const { directory, fileSystem, writerId, log, logger } = this.#options;
    this.#position = position;
    this.#tries = 0;
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

  // A flush ends the wait.
  #backOff(delayMs: number): Promise<void> {
    const { setTimer } = this.#options;
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
