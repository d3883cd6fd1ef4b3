import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';

/** What a shutdown has to fit into. */
export interface ShutdownOptions {
  /**
   * How long the platform waits between SIGTERM and killing the process, in milliseconds; from 10_000. In Kubernetes
   * the pod's `terminationGracePeriodSeconds`. @default 30_000
   */
  readonly terminationGraceMs?: number | undefined;
  /**
   * How long a closing server goes on serving while it already reports "not ready", so that load balancers stop
   * sending, in milliseconds; from 0 to what the grace period leaves. @default 0
   */
  readonly readinessDelayMs?: number | undefined;
}

type ResolvedShutdownOptions = { readonly [Name in keyof ShutdownOptions]-?: number };

/** @throws {RangeError} when they do not fit each other, naming the option to change. */
export function resolveShutdownOptions(options: ShutdownOptions): ResolvedShutdownOptions {
  const { terminationGraceMs = 30_000, readinessDelayMs = 0 } = options;
  checkWhole('terminationGraceMs', terminationGraceMs, MIN_TERMINATION_GRACE_MS, MAX_TIMER_MS);
  const max = maxReadinessDelayMs(terminationGraceMs);
  if (!Number.isSafeInteger(readinessDelayMs) || readinessDelayMs < 0 || readinessDelayMs > max) {
    const wanted = `readinessDelayMs must be a whole number from 0 to ${max} with a terminationGraceMs of ${terminationGraceMs}`;
    const remedy =
      readinessDelayMs > max
        ? `: lower it, or raise terminationGraceMs to ${graceMsFor(readinessDelayMs)}`
        : '';
    throw new RangeError(`${wanted}, got ${readinessDelayMs}${remedy}`);
  }
  return { terminationGraceMs, readinessDelayMs };
}

/** The default of `docker stop`. */
const MIN_TERMINATION_GRACE_MS = 10_000;

/** The end of the process itself, and the time that a signal needs to arrive. */
const SPARE_MS = 2_000;
const MIN_CALLS_MS = 3_000;

/** Parts of a budget of 28 s. A smaller one is shared in proportion; what a larger one adds is for the calls. */
const PARTS = { responsesMs: 3_000, tasksMs: 4_000, auditMs: 4_000, telemetryMs: 500, closingMs: 500 };
const FULL_BUDGET_MS = 28_000;

/** How long each part of a shutdown may take, in milliseconds, in the order of the parts. Together: `budgetMs`. */
export interface ShutdownPlan {
  readonly budgetMs: number;
  readonly readinessDelayMs: number;
  /** Running calls end. */
  readonly callsMs: number;
  /** Responses are written and read. */
  readonly responsesMs: number;
  /** Tasks end, or are put aside for the next start. */
  readonly tasksMs: number;
  /** Audit events are shipped. */
  readonly auditMs: number;
  readonly telemetryMs: number;
  /** Whatever else is open. */
  readonly closingMs: number;
}

/**
 * Shares one budget, which ends before the platform kills the process, between the parts of a shutdown.
 *
 * @throws {RangeError} when they do not fit, naming the option to change.
 */
export function planShutdown(options: ShutdownOptions = {}): ShutdownPlan {
  const { terminationGraceMs, readinessDelayMs } = resolveShutdownOptions(options);
  const budgetMs = terminationGraceMs - SPARE_MS;
  const parts = partsOf(budgetMs);
  return { budgetMs, readinessDelayMs, callsMs: budgetMs - readinessDelayMs - sum(parts), ...parts };
}

/** The longest readiness delay that leaves time to finish calls. */
export function maxReadinessDelayMs(terminationGraceMs: number): number {
  const budgetMs = terminationGraceMs - SPARE_MS;
  return budgetMs - sum(partsOf(budgetMs)) - MIN_CALLS_MS;
}

/** A grace period into which this readiness delay fits. */
export function graceMsFor(readinessDelayMs: number): number {
  return SPARE_MS + Math.max(FULL_BUDGET_MS, Math.ceil(readinessDelayMs) + MIN_CALLS_MS + sum(PARTS));
}

function partsOf(budgetMs: number): typeof PARTS {
  const share = (fullMs: number) => Math.floor(fullMs * Math.min(1, budgetMs / FULL_BUDGET_MS));
  return {
    responsesMs: share(PARTS.responsesMs),
    tasksMs: share(PARTS.tasksMs),
    auditMs: share(PARTS.auditMs),
    telemetryMs: share(PARTS.telemetryMs),
    closingMs: share(PARTS.closingMs),
  };
}

function sum(parts: typeof PARTS): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
