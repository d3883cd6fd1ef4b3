import type { AnchorKeeper } from './anchors/anchor-keeper.ts';
import { Anchors } from './anchors/anchors.ts';
import { loadKeys } from './chain/signing.ts';
import { checkWhole } from './check-number.ts';
import { readCursor } from './delivery/cursor.ts';
import { Delivery, type DeliveryOptions } from './delivery/delivery.ts';
import type { AuditSink } from './delivery/sink.ts';
import { withCompressedSegments } from './disk/compressed-segments.ts';
import { DiskReserve } from './disk/disk-reserve.ts';
import { DiskShare } from './disk/disk-share.ts';
import { keepPlace } from './disk/place.ts';
import { lockDirectory, type WriterLock } from './disk/writer-lock.ts';
import { AuditError } from './errors.ts';
import {
  describe,
  encodeIntent,
  encodeOutcome,
  type Description,
  type EncodedEvent,
  type EventSource,
} from './event/encode.ts';
import type { AuditIntent, AuditIntentEvent, AuditOutcome } from './event/event.ts';
import { Alerts } from './health/alerts.ts';
import { healthOf, type AuditHealth } from './health/health.ts';
import { Maintenance } from './health/maintenance.ts';
import { RefusalLog } from './refusals/refusal-log.ts';
import { readRecent, type RecentEvents } from './segments/recent-events.ts';
import { recoverLog } from './segments/recovery.ts';
import { segmentName } from './segments/segment-header.ts';
import { SegmentLog, type SegmentLogOptions } from './segments/segment-log.ts';
import { endOf, OpenTasks } from './tasks/open-tasks.ts';
import {
  resolveAuditTrailOptions,
  type AuditTrailOptions,
  type ResolvedAuditTrailOptions,
} from './trail-options.ts';
import { untilAborted } from './until-aborted.ts';

/** An intent on disk, waiting for its outcome. */
export interface AuditEntry {
  /** The id of the intent event. */
  readonly id: string;
  /**
   * Resolves when the outcome is durable. May be called again after it rejected.
   * @throws {AuditError} `unavailable`, `already_finished`, `closed`
   */
  readonly finish: (outcome: AuditOutcome) => Promise<void>;
}

/** A durable record of who did what. */
export interface AuditTrail extends AsyncDisposable {
  /**
   * Records what is about to happen; resolves when that is durable. If it rejects, do not act.
   * @throws {AuditError} `unavailable`, `disk_quota`, `closed`
   */
  readonly begin: (intent: AuditIntent) => Promise<AuditEntry>;
  /**
   * Records a call that was refused before anything ran, whoever asked for it and however often: the first ten of a
   * caller, or of a stranger's address, for one reason in a minute with their intent and outcome; the others as one such
   * pair, whose outcome holds their number in `refusals`. Resolves when it is durable or counted. What is
   * counted is lost if the process is killed within the minute.
   * @throws {AuditError} `closed`
   */
  readonly refuse: (intent: AuditIntent, outcome: AuditOutcome) => Promise<void>;
  /**
   * The entry of the intent of this trail that names the task and has no outcome, whichever process of this directory
   * began it; `undefined` where there is none, as when its outcome is recorded.
   */
  readonly resume: (taskId: string) => AuditEntry | undefined;
  /**
   * Ships everything durable to every sink, now; resolves when they have it.
   * @throws {unknown} the signal's reason
   */
  readonly flush: (options?: { readonly signal?: AbortSignal | undefined }) => Promise<void>;
  /** The present state, for readiness and metrics. */
  readonly health: () => AuditHealth;
  /**
   * The last events on the disk, from 0 to 1_000 of them, and whether they are as they were written; for operators.
   * @throws {RangeError} for a limit out of its range
   * @throws {unknown} what the disk says
   */
  readonly recent: (limit: number) => Promise<RecentEvents>;
  /** Records nothing more, tries to ship what is left, and releases the directory. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the trail in a directory: takes its lock, repairs what a crash left, and gives every intent without
 * an outcome the outcome `unknown`, reason `interrupted`, or that of the task it names, unless that goes on. A directory that was copied or restored is set aside in a folder
 * `restored-…` of it, and a new writer begins. A trail that is damaged before its end does not stop
 * the start: its files stay as they are, a new chain begins that names the broken one, and `health()` says so.
 * @throws {AuditError} `locked`, `unavailable`; `damaged` when the key in the directory is not one
 * @throws {TypeError | RangeError} for an option that is missing or out of its range
 */
export async function openAuditTrail(options: AuditTrailOptions): Promise<AuditTrail> {
  const resolved = resolveAuditTrailOptions(options);
  await resolved.fileSystem.makeDirectory(resolved.directory);
  const lock = await lockDirectory(resolved.directory);
  try {
    return createTrail(await openParts(resolved, lock), lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

const MAX_RECENT = 1_000;
// For what is under way to come to its end.
const END_GRACE_MS = 1000;

/** An outcome of which it may not be known how long it took. */
type EndOutcome = Parameters<typeof encodeOutcome>[2];

/** What a trail is made of. */
interface TrailParts {
  readonly options: ResolvedAuditTrailOptions;
  readonly source: EventSource;
  readonly log: SegmentLog;
  readonly alerts: Alerts;
  readonly deliveries: readonly Delivery[];
  readonly anchors: Anchors;
  readonly share: DiskShare;
  readonly maintenance: Maintenance;
  /** The intents that an earlier process left, whose tasks go on. */
  readonly continued: readonly AuditIntentEvent[];
}

async function openParts(given: ResolvedAuditTrailOptions, lock: WriterLock): Promise<TrailParts> {
  const restored = await keepPlace(given);
  const options = { ...given, fileSystem: withCompressedSegments(given.fileSystem) };
  const { directory, fileSystem, logger, now } = options;
  const { signer, known, replacedKeyId } = await loadKeys(
    directory,
    fileSystem,
    options.signingKey,
    options.verificationKeys,
  );
  const sinks = await Promise.all(
    options.sinks.map(async (sink) => ({
      sink,
      cursor: await readCursor(directory, fileSystem, sink.name, logger),
    })),
  );
  const delivered = sinks.flatMap(({ cursor }) => cursor ?? []);
  const anchors = new Anchors({ ...options, keepers: keepersOf(options) });
  const recovered = await recoverLog(directory, fileSystem, logger, {
    keys: known,
    delivered,
    anchorsOf: (writerId) => anchors.latest(writerId),
  });
  const { writerId, broken, isForged } = recovered;
  const deliveries: Delivery[] = [];
  // By the files as they are: compressed ones take less than they hold.
  const share = new DiskShare(given);
  // What is there counts from the first call on. Maintenance measures again at once, and reports what fails.
  await share.measure(undefined).catch(() => {});
  const onCommit: SegmentLogOptions['onCommit'] = (events, hasCheckpoint) => {
    share.committed(events);
    deliveries.forEach((delivery) => delivery.committed(events, hasCheckpoint));
  };
  const reserve = new DiskReserve(directory, fileSystem, options.reserveBytes);
  await reserve.hold().catch((error: unknown) => logger.warn({ err: error }, 'audit reserve not taken'));
  const isLockFound = lock.isFound;
  const onCheckpoint: SegmentLogOptions['onCheckpoint'] = (checkpoint) => anchors.offer(checkpoint);
  const commits = { onCommit, onCheckpoint };
  const log = new SegmentLog({ ...options, signer, reserve, recovered, isLockFound, ...commits });
  const source: EventSource = { writerId, server: options.server };
  const alerts = new Alerts(source, log, options);
  const { ended, continued } = await endsOf(recovered.interrupted, options);
  await Promise.all([
    ...ended.map(([intent, outcome]) =>
      log.append(encodeOutcome(describe(source, intent), intent.id, outcome, now())),
    ),
    restored !== undefined && alerts.note('audit/restored', restored, {}),
    replacedKeyId !== undefined &&
      alerts.note('audit/signing_key_changed', signer.keyId, { from: replacedKeyId }),
    broken && alerts.raise(isForged ? 'forged' : 'damaged', segmentName(broken.segment), broken),
  ]);
  const onDamage: DeliveryOptions['onDamage'] = ({ segment, afterSequence }) =>
    void alerts.raise('damaged', segmentName(segment), { sequence: afterSequence });
  const onQuarantine: DeliveryOptions['onQuarantine'] = (sink, { id, action }) => {
    // An alert about an alert that the sink does not take would have no end.
    if (!action.startsWith('audit/')) {
      void alerts.raise('rejected_by_sink', `${sink}/${id}`, { sink, id });
    }
  };
  for (const { sink, cursor } of sinks) {
    deliveries.push(new Delivery({ ...options, sink, cursor, log, writerId, onDamage, onQuarantine }));
  }
  const openedAt = performance.now();
  const maintenance = new Maintenance({
    ...options,
    log,
    deliveries,
    share,
    elapsedMs: () => performance.now() - openedAt,
    lastTime: recovered.lastTime ?? now(),
  });
  return { options, source, log, alerts, deliveries, anchors, share, maintenance, continued };
}

const INTERRUPTED: EndOutcome = { result: 'unknown', reason: 'interrupted' };

/** The intents that nobody is going to finish, with what became of them, and the others. */
async function endsOf(intents: readonly AuditIntentEvent[], options: ResolvedAuditTrailOptions) {
  const ended: [AuditIntentEvent, EndOutcome][] = [];
  const continued: AuditIntentEvent[] = [];
  for (const intent of intents) {
    const end = intent.taskId === undefined ? undefined : await endOf(intent.taskId, options);
    if (end === 'open') {
      continued.push(intent);
    } else {
      ended.push([intent, end === undefined ? INTERRUPTED : { ...end, isElsewhere: true }]);
    }
  }
  return { ended, continued };
}

function keepersOf({ anchors, sinks }: ResolvedAuditTrailOptions): AnchorKeeper[] {
  return [...anchors, ...sinks.filter((sink) => isKeeper(sink))];
}

function isKeeper(sink: AuditSink): sink is AuditSink & AnchorKeeper {
  return sink.keepAnchor !== undefined;
}

function createTrail(parts: TrailParts, lock: WriterLock): AuditTrail {
  const { source, log, alerts, deliveries, anchors, share, maintenance } = parts;
  const { now, setTimer, closeTimeoutMs, logger } = parts.options;
  const refusals = new RefusalLog({ ...parts.options, source, append: record });
  const openTasks = new OpenTasks<AuditEntry>(parts.options);
  for (const intent of parts.continued) {
    entryOf(intent.id, describe(source, intent), intent.taskId);
  }
  let closing: Promise<void> | undefined;

  async function record(event: EncodedEvent): Promise<void> {
    // Outcomes belong to calls that are under way.
    if (event.intentId === undefined && share.failure !== undefined) {
      throw share.failure;
    }
    await log.append(event);
  }

  async function append(event: EncodedEvent): Promise<void> {
    if (closing !== undefined) {
      throw new AuditError('closed', 'The audit trail is closed');
    }
    await record(event);
  }

  function entryOf(id: string, description: Description, taskId: string | undefined): AuditEntry {
    const finish = finishOnce(id, async (outcome) => {
      await append(encodeOutcome(description, id, outcome, now()));
      if (taskId !== undefined) {
        openTasks.remove(taskId, entry);
      }
    });
    const entry: AuditEntry = { id, finish };
    if (taskId !== undefined) {
      openTasks.add(taskId, { entry, finish });
    }
    return entry;
  }

  async function end(signal: AbortSignal): Promise<void> {
    const recorded = Promise.all([maintenance.stop(), openTasks.stop()])
      .then(() => refusals.close())
      .then(() => log.close());
    await untilAborted(recorded, signal).catch((error: unknown) =>
      logger.error({ err: error }, 'audit trail not closed'),
    );
    // Each on its own: one that fails must not cut short another's last attempt.
    await Promise.allSettled([
      anchors.close(signal),
      ...deliveries.map((delivery) => delivery.flush(signal)),
    ]);
    await Promise.all(deliveries.map((delivery) => delivery.stop()));
    // A write that hangs may still come through: until then the directory is not another writer's.
    await recorded.catch(() => {});
  }

  async function close(): Promise<void> {
    const shipping = new AbortController();
    const waiting = new AbortController();
    const late = new Error('the audit trail could not be closed in time');
    let cancel = (): void => {};
    cancel = setTimer(
      () => {
        shipping.abort(late);
        cancel = setTimer(() => waiting.abort(late), END_GRACE_MS, { keepsProcessAlive: true });
      },
      closeTimeoutMs,
      { keepsProcessAlive: true },
    );
    const ended = end(shipping.signal).finally(() => lock.release());
    try {
      await untilAborted(ended, waiting.signal);
    } catch (error) {
      logger.error({ err: error }, 'audit trail not closed');
    } finally {
      cancel();
    }
  }

  const trail: AuditTrail = {
    async begin(intent) {
      const description = describe(source, intent);
      const event = encodeIntent(description, intent, now());
      await append(event);
      return entryOf(event.id, description, intent.taskId);
    },
    resume: (taskId) => openTasks.find(taskId),
    refuse: (intent, outcome) => refusals.refuse({ intent, outcome }),
    async flush({ signal = new AbortController().signal } = {}) {
      await Promise.all(deliveries.map((delivery) => delivery.flush(signal)));
    },
    health: () =>
      healthOf({
        failure:
          closing === undefined
            ? (log.failure ?? share.failure)
            : new AuditError('closed', 'The audit trail is closed'),
        trouble: alerts.last ?? log.trouble ?? anchors.trouble ?? maintenance.trouble,
        deliveries,
        refusals: refusals.counts,
        disk: share.use,
        now: now(),
      }),
    async recent(limit) {
      checkWhole('limit', limit, 0, MAX_RECENT);
      const { directory, fileSystem } = parts.options;
      return readRecent(directory, fileSystem, log.segments, limit);
    },
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => trail.close(),
  };
  return trail;
}

function finishOnce(id: string, append: (outcome: EndOutcome) => Promise<void>) {
  let isFinished = false;
  return async (outcome: EndOutcome): Promise<void> => {
    if (isFinished) {
      throw new AuditError('already_finished', `Intent ${id} has its outcome`);
    }
    isFinished = true;
    try {
      await append(outcome);
    } catch (error) {
      isFinished = false;
      throw error;
    }
  };
}
