import type { Delivery } from '../delivery/delivery.ts';
import type { AuditDiskUse } from '../disk/disk-share.ts';
import { AuditError, type AuditErrorCode } from '../errors.ts';
import type { RefusalCounts } from '../refusals/refusal-log.ts';

/** Whether the trail records (`unavailable` if not) and is whole, has space and is delivered (`degraded` if not). */
export interface AuditHealth {
  readonly state: 'ok' | 'degraded' | 'unavailable';
  /** Durable records that the slowest sink does not have yet. */
  readonly backlog: number;
  /** Age of the oldest event that some sink does not have yet, in milliseconds; 0 without a backlog. */
  readonly oldestUndeliveredAgeMs: number;
  /** What the trail takes of the disk, and how long that goes well. */
  readonly disk: AuditDiskUse;
  /** The refusals since the trail was opened. */
  readonly refusals: RefusalCounts;
  /** The trouble there is now. `message` is public. */
  readonly lastError?:
    | { readonly code: AuditErrorCode; readonly message: string; readonly sink?: string | undefined }
    | undefined;
  /** Each sink by itself, in the order they were given. */
  readonly sinks: readonly AuditSinkHealth[];
}

/** How far one sink got. */
export interface AuditSinkHealth {
  readonly name: string;
  /** `failing` from a failed attempt until the next one succeeds. */
  readonly state: 'ok' | 'failing';
  /** Durable records that it does not have yet. */
  readonly backlog: number;
  /** Age of the oldest event that it does not have yet, in milliseconds; 0 without a backlog. */
  readonly oldestUndeliveredAgeMs: number;
  /** Failed attempts since the trail was opened. */
  readonly failures: number;
  /** Events it did not take since the trail was opened; they are in `quarantine-<name>.jsonl`. */
  readonly quarantined: number;
}

/** What the parts of a trail say of themselves. */
interface HealthFacts {
  /** Why nothing is recorded. */
  readonly failure: AuditError | undefined;
  /** What an operator should look at although events are recorded. */
  readonly trouble: AuditError | undefined;
  readonly deliveries: readonly Pick<Delivery, 'sinkName' | 'status'>[];
  readonly refusals: RefusalCounts;
  readonly disk: AuditDiskUse;
  /** In milliseconds since the Unix epoch. */
  readonly now: number;
}

/** Puts together what the log and its deliveries say of themselves. */
export function healthOf({ failure, trouble, deliveries, refusals, disk, now }: HealthFacts): AuditHealth {
  const statuses = deliveries.map((delivery) => ({ sink: delivery.sinkName, ...delivery.status }));
  const oldestAt = Math.min(now, ...statuses.flatMap((status) => status.oldestAt ?? []));
  const measures = {
    backlog: Math.max(0, ...statuses.map((status) => status.backlog)),
    oldestUndeliveredAgeMs: now - oldestAt,
    refusals,
    disk,
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
  if (failure !== undefined) {
    return { state: 'unavailable', ...measures, lastError: publicError(failure) };
  }
  const failing = statuses.find((status) => status.lastError !== undefined);
  if (failing !== undefined) {
    const lastError = { ...publicError(failing.lastError), sink: failing.sink };
    return { state: 'degraded', ...measures, lastError };
  }
  if (trouble !== undefined) {
    return { state: 'degraded', ...measures, lastError: publicError(trouble) };
  }
  return { state: 'ok', ...measures };
}

function publicError(error: unknown): { code: AuditErrorCode; message: string } {
  const known = error instanceof AuditError ? error : new AuditError('delivery_failed', String(error));
  return { code: known.code, message: known.publicMessage };
}
