import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 366 * DAY_MS;

/** How much an engine does at once, how long it waits and how long it keeps. */
export interface TaskLimits {
  /** The maximum number of handlers at once in this process, 1 to 10000; further tasks wait as `queued`. @default 10 */
  readonly concurrency?: number | undefined;
  /** The maximum number of running tasks of one owner, in all processes, 1 to 10000. @default 5 */
  readonly maxRunningPerOwner?: number | undefined;
  /** The maximum number of waiting tasks of one owner, 1 to 100000; a further one is refused. @default 50 */
  readonly maxQueuedPerOwner?: number | undefined;
  /** How long a task may wait for its first run, in milliseconds: up to 100 years. @default 3_600_000 (1 hour) */
  readonly maxQueuedMs?: number | undefined;
  /** How long nothing is heard of a worker until others take its tasks, in milliseconds, 200 to 2147483647. @default 15_000 */
  readonly leaseMs?: number | undefined;
  /** How long an ended task, and with it its idempotency key, is kept, in milliseconds: up to 100 years. @default 604_800_000 (7 days) */
  readonly ttlMs?: number | undefined;
}

/** Fills in and checks. @throws {RangeError} naming the limit that is wrong */
export function resolveTaskLimits(limits: TaskLimits = {}) {
  const {
    concurrency = 10,
    maxRunningPerOwner = 5,
    maxQueuedPerOwner = 50,
    maxQueuedMs = HOUR_MS,
    leaseMs = 15_000,
    ttlMs = 7 * DAY_MS,
  } = limits;
  checkWhole('concurrency', concurrency, 1, 10_000);
  checkWhole('maxRunningPerOwner', maxRunningPerOwner, 1, 10_000);
  checkWhole('maxQueuedPerOwner', maxQueuedPerOwner, 1, 100_000);
  checkWhole('maxQueuedMs', maxQueuedMs, 1, 100 * YEAR_MS);
  checkWhole('leaseMs', leaseMs, 200, MAX_TIMER_MS);
  checkWhole('ttlMs', ttlMs, 1, 100 * YEAR_MS);
  return { concurrency, maxRunningPerOwner, maxQueuedPerOwner, maxQueuedMs, leaseMs, ttlMs };
}
