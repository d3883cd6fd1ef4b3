import { loadSigner } from './chain/signing.ts';
import { readCursor } from './delivery/cursor.ts';
import { Delivery, type DeliveryOptions } from './delivery/delivery.ts';
import { DiskReserve } from './disk/disk-reserve.ts';
import { lockDirectory } from './disk/writer-lock.ts';
import { AuditError } from './errors.ts';
import {
  describe,
  encodeIntent,
  encodeOutcome,
  type AuditIntent,
  type AuditOutcome,
  type EncodedEvent,
  type EventSource,
} from './event/event.ts';
import { Alerts } from './health/alerts.ts';
import { healthOf, type AuditHealth } from './health/audit-health.ts';
import { Maintenance } from './health/maintenance.ts';
import { recoverLog } from './segments/recovery.ts';
import { segmentName } from './segments/segment-header.ts';
import { SegmentLog, type SegmentLogOptions } from './segments/segment-log.ts';
import { checkedOptions, type AuditTrailOptions, type Settings } from './trail-options.ts';

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
    health: () => healthOf(log, alerts.last ?? maintenance.trouble, deliveries, closing !== undefined, now()),
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
