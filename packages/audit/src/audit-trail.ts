import type { KeyObject } from 'node:crypto';

import { Alerts } from './alerts.ts';
import { systemTimer, type SetTimer } from './clock.ts';
import { readCursor } from './cursor.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import { DiskReserve } from './disk-reserve.ts';
import { AuditError, type AuditErrorCode } from './errors.ts';
import {
  describe,
  encodeIntent,
  encodeOutcome,
  type AuditIntent,
  type AuditOutcome,
  type EncodedEvent,
  type EventSource,
} from './event.ts';
import { nodeFileSystem, type AuditFileSystem } from './file-system.ts';
import { silentLogger, type Logger } from './logger.ts';
import { Maintenance } from './maintenance.ts';
import { recoverLog } from './recovery.ts';
import { SegmentLog, type SegmentLogOptions } from './segment-log.ts';
import { segmentName } from './segments.ts';
import { loadSigner } from './signing.ts';
import type { AuditSink } from './sink.ts';
import { lockDirectory } from './writer-lock.ts';

/** How a trail is opened. */
export interface AuditTrailOptions {
  /** Holds the trail of this one process: its segments, cursors and lock. Created with mode 0700. Local disk. */
  readonly directory: string;
  /** Where events are shipped; each at its own pace. May be empty. */
  readonly sinks: readonly AuditSink[];
  /** Written into each event. */
  readonly server: { readonly name: string; readonly version: string };
  /** Reports repairs and failures. @default silent */
  readonly logger?: Logger;
  /** How long an event that is not urgent may wait before it is shipped, in ms. @default 10000 */
  readonly deliveryIntervalMs?: number;
  /** Size at which a segment file is followed by a new one, in bytes. @default 8 MiB */
  readonly segmentBytes?: number;
  /**
   * The private ed25519 key that signs checkpoints. @default one that is made once and kept in the directory with
   * mode 0600; whoever can read it can also rebuild the trail, so a key from elsewhere proves more
   */
  readonly signingKey?: KeyObject;
  /** A checkpoint follows at the latest after so many events. @default 1000 */
  readonly checkpointEvents?: number;
  /** A checkpoint follows at the latest so long after an event, in ms. @default 60000 */
  readonly checkpointIntervalMs?: number;
  /** Space kept for the outcomes of running calls when the disk is full, in bytes. @default 1 MiB */
  readonly reserveBytes?: number;
  /** Free space below which `health()` is `degraded`, in bytes. @default 256 MiB */
  readonly minFreeBytes?: number;
  /** How long delivered events are kept here, in days. @default they are never removed */
  readonly keepDays?: number;
  /** How long `close()` tries to ship what is left, in ms. @default 5000 */
  readonly closeTimeoutMs?: number;
  /** Wall clock in ms since the epoch. @default Date.now */
  readonly now?: () => number;
  /** Jitter of the back-off, in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** Timers of delivery. @default setTimeout */
  readonly setTimer?: SetTimer;
  /** File operations. @default the machine's */
  readonly fileSystem?: AuditFileSystem;
}

/** An intent on disk, waiting for its outcome. */
export interface AuditEntry {
  /** The id of the intent event. */
  readonly id: string;
  /**
   * Resolves when the outcome is durable. May be called again after it rejected.
   * @throws AuditError `unavailable`, `already_finished`, `closed`, `invalid_event`
   */
  finish(outcome: AuditOutcome): Promise<void>;
}

/** Whether the trail records (`unavailable` if not) and is whole, has space and is delivered (`degraded` if not). */
export interface AuditHealth {
  readonly state: 'ok' | 'degraded' | 'unavailable';
  /** Durable records that the slowest sink does not have yet. */
  readonly backlog: number;
  /** Age of the oldest event that some sink does not have yet; 0 without a backlog. */
  readonly oldestUndeliveredAgeMs: number;
  /** The trouble there is now. `message` is public. */
  readonly lastError?: { readonly code: AuditErrorCode; readonly message: string; readonly sink?: string };
  /** Each sink by itself, in the order they were given. */
  readonly sinks: readonly AuditSinkHealth[];
}

/** How far one sink got. */
export interface AuditSinkHealth {
  readonly name: string;
  /** `failing` from a failed attempt until the next one succeeds. */
  readonly state: 'ok' | 'failing';
  readonly backlog: number;
  readonly oldestUndeliveredAgeMs: number;
  /** Failed attempts since the trail was opened. */
  readonly failures: number;
  /** Events it did not take since the trail was opened; they are in `quarantine-<name>.jsonl`. */
  readonly quarantined: number;
}

/** A durable record of who did what. */
export interface AuditTrail extends AsyncDisposable {
  /**
   * Records what is about to happen; resolves when that is durable. If it rejects, do not act.
   * @throws AuditError `unavailable`, `closed`, `invalid_event`
   */
  begin(intent: AuditIntent): Promise<AuditEntry>;
  /**
   * Ships everything durable to every sink, now; resolves when they have it.
   * @throws the signal's reason
   */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** The present state, for readiness and metrics. */
  health(): AuditHealth;
  /** Records nothing more, tries to ship what is left, and releases the directory. */
  close(): Promise<void>;
}

/**
 * Opens the trail in a directory: takes its lock, repairs what a crash left, and gives every intent without
 * an outcome the outcome `unknown`, reason `interrupted`. A trail that is damaged before its end does not stop
 * the start: its files stay as they are, a new chain begins that names the broken one, and `health()` says so.
 * @throws AuditError `locked`, `unavailable`; `damaged` when the key in the directory is not one
 * @throws TypeError or RangeError for an option out of its range
 */
export async function openAuditTrail(options: AuditTrailOptions): Promise<AuditTrail> {
  const settings = checkedOptions(options);
  const { directory, fileSystem, logger } = settings;
  await fileSystem.makeDirectory(directory);
  const releaseLock = await lockDirectory(directory);
  try {
    const signer = await loadSigner(directory, fileSystem, options.signingKey);
    const sinks = await Promise.all(
      settings.sinks.map(async (sink) => ({
        sink,
        cursor: await readCursor(directory, fileSystem, sink.name, logger),
      })),
    );
    const delivered = sinks.flatMap(({ cursor }) => cursor ?? []);
    const recovered = await recoverLog(directory, fileSystem, logger, delivered);
    const { writerId, broken } = recovered;
    const deliveries: Delivery[] = [];
    const onCommit: SegmentLogOptions['onCommit'] = (events, hasCheckpoint) =>
      deliveries.forEach((delivery) => delivery.committed(events, hasCheckpoint));
    const reserve = new DiskReserve(directory, fileSystem, settings.reserveBytes);
    await reserve.hold().catch((error: unknown) => logger.warn({ error }, 'audit reserve not taken'));
    const log = new SegmentLog({ ...settings, signer, reserve, recovered, onCommit });
    const source: EventSource = { writerId, server: settings.server };
    const alerts = new Alerts(source, log, settings);
    await Promise.all([
      ...recovered.interrupted.map((intent) => {
        const outcome = { result: 'unknown', reason: 'interrupted' } as const;
        return log.append(encodeOutcome(describe(source, intent), intent.id, outcome, settings.now()));
      }),
      broken && alerts.raise('damaged', segmentName(broken.segment), broken),
    ]);
    const onDamage: DeliveryOptions['onDamage'] = ({ segment, afterSequence }) =>
      void alerts.raise('damaged', segmentName(segment), { sequence: afterSequence });
    const onQuarantine: DeliveryOptions['onQuarantine'] = (sink, { id, action }) => {
      // An alert about an alert that the sink does not take would have no end.
      if (!action.startsWith('audit/')) void alerts.raise('rejected_by_sink', `${sink}/${id}`, { sink, id });
    };
    for (const { sink, cursor } of sinks)
      deliveries.push(new Delivery({ ...settings, sink, cursor, log, writerId, onDamage, onQuarantine }));
    const maintenance = new Maintenance({ ...settings, log, deliveries });
    return auditTrail(settings, source, log, alerts, deliveries, maintenance, releaseLock);
  } catch (error) {
    releaseLock();
    throw error;
  }
}

type Settings = Required<Omit<AuditTrailOptions, 'signingKey'>>;

function auditTrail(
  settings: Settings,
  source: EventSource,
  log: SegmentLog,
  alerts: Alerts,
  deliveries: readonly Delivery[],
  maintenance: Maintenance,
  releaseLock: () => void,
): AuditTrail {
  const { now, setTimer, closeTimeoutMs } = settings;
  let closing: Promise<void> | undefined;

  async function append(event: EncodedEvent): Promise<void> {
    if (closing !== undefined) throw new AuditError('closed', 'The audit trail is closed');
    await log.append(event);
  }

  async function close(): Promise<void> {
    const deadline = new AbortController();
    const cancel = setTimer(() => deadline.abort(), closeTimeoutMs, { keepsProcessAlive: true });
    try {
      await maintenance.stop();
      await log.close();
      // Each on its own: one that fails must not cut short another's last attempt.
      await Promise.allSettled(deliveries.map((delivery) => delivery.flush(deadline.signal)));
      await Promise.all(deliveries.map((delivery) => delivery.stop()));
    } finally {
      cancel();
      releaseLock();
    }
  }

  const trail: AuditTrail = {
    async begin(intent) {
      const description = describe(source, intent);
      const event = encodeIntent(description, intent, now());
      await append(event);
      return auditEntry(event.id, (outcome) => append(encodeOutcome(description, event.id, outcome, now())));
    },
    async flush({ signal = new AbortController().signal } = {}) {
      await Promise.all(deliveries.map((delivery) => delivery.flush(signal)));
    },
    health: () => health(log, alerts.last ?? maintenance.trouble, deliveries, closing !== undefined, now()),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => trail.close(),
  };
  return trail;
}

function auditEntry(id: string, append: (outcome: AuditOutcome) => Promise<void>): AuditEntry {
  let finished = false;
  return {
    id,
    async finish(outcome) {
      if (finished) throw new AuditError('already_finished', `Intent ${id} has its outcome`);
      finished = true;
      try {
        await append(outcome);
      } catch (error) {
        finished = false;
        throw error;
      }
    },
  };
}

function health(
  log: SegmentLog,
  trouble: AuditError | undefined,
  deliveries: readonly Delivery[],
  isClosed: boolean,
  now: number,
): AuditHealth {
  const statuses = deliveries.map((delivery) => ({ sink: delivery.sinkName, ...delivery.status }));
  const oldestAt = Math.min(now, ...statuses.flatMap((status) => status.oldestAt ?? []));
  const measures = {
    backlog: Math.max(0, ...statuses.map((status) => status.backlog)),
    oldestUndeliveredAgeMs: now - oldestAt,
    sinks: statuses.map(
      ({ sink, backlog, oldestAt: since = now, failures, quarantined, lastError }): AuditSinkHealth => ({
        name: sink,
        state: lastError === undefined ? 'ok' : 'failing',
        backlog,
        oldestUndeliveredAgeMs: Math.max(0, now - since),
        failures,
        quarantined,
      }),
    ),
  };
  if (isClosed)
    return { state: 'unavailable', ...measures, lastError: publicError(new AuditError('closed', '')) };
  if (log.failure !== undefined)
    return { state: 'unavailable', ...measures, lastError: publicError(log.failure) };
  const failing = statuses.find((status) => status.lastError !== undefined);
  if (failing === undefined && trouble !== undefined)
    return { state: 'degraded', ...measures, lastError: publicError(trouble) };
  if (failing === undefined) return { state: 'ok', ...measures };
  return {
    state: 'degraded',
    ...measures,
    lastError: { ...publicError(failing.lastError), sink: failing.sink },
  };
}

function publicError(error: unknown): { code: AuditErrorCode; message: string } {
  const known = error instanceof AuditError ? error : new AuditError('delivery_failed', String(error));
  return { code: known.code, message: known.publicMessage };
}

function checkedOptions(options: AuditTrailOptions): Settings {
  const names = options.sinks.map((sink) => sink.name);
  for (const [index, name] of names.entries()) {
    if (!/^[a-z0-9-]{1,64}$/.test(name)) throw new TypeError(`A sink's name is a-z, 0-9 and -, got ${name}`);
    if (names.indexOf(name) !== index) throw new TypeError(`Two sinks are named ${name}`);
  }
  const {
    deliveryIntervalMs = 10_000,
    segmentBytes = 8 * 1024 * 1024,
    checkpointEvents = 1000,
    checkpointIntervalMs = 60_000,
    reserveBytes = 1024 * 1024,
    minFreeBytes = 256 * 1024 * 1024,
    closeTimeoutMs = 5000,
  } = options;
  const numbers = {
    deliveryIntervalMs,
    segmentBytes,
    checkpointEvents,
    checkpointIntervalMs,
    reserveBytes,
    minFreeBytes,
    closeTimeoutMs,
    keepDays: options.keepDays ?? Infinity,
  };
  for (const [name, value] of Object.entries(numbers))
    if (!(value > 0)) throw new RangeError(`${name} must be positive, got ${value}`);
  return {
    logger: silentLogger,
    now: Date.now,
    random: Math.random,
    setTimer: systemTimer,
    fileSystem: nodeFileSystem,
    ...options,
    ...numbers,
  };
}
