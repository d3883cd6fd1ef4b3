import { openAuditTrail, type AuditTrail } from './audit-trail.ts';
import { checkWhole, MAX_TIMER_MS } from './check-number.ts';
import { readCursor } from './delivery/cursor.ts';
import { withFile, type AuditFileSystem } from './disk/file-system.ts';
import { AuditError, isMissing, type AuditErrorCode } from './errors.ts';
import { silentLogger } from './logger.ts';
import { segmentNumbers, segmentPath } from './segments/segment-header.ts';
import { endOf } from './tasks/open-tasks.ts';
import {
  resolveAuditTrailOptions,
  type AuditTrailOptions,
  type ResolvedAuditTrailOptions,
} from './trail-options.ts';

/** How orphaned trails are found and shipped. */
export interface TrailAdoptionOptions extends Omit<AuditTrailOptions, 'directory'> {
  /** Lists the directories that may hold a trail; asked again before each round. One that is in use is left alone. */
  readonly directories: () => Promise<readonly string[]>;
  /** Time between the end of a round and the next, in milliseconds, 1 to 2147483647. @default 300000 */
  readonly intervalMs?: number | undefined;
  /** How long one trail may take in a round, in milliseconds, 1 to 2147483647. @default 30000 */
  readonly attemptTimeoutMs?: number | undefined;
}

interface ResolvedTrailAdoptionOptions {
  readonly directories: TrailAdoptionOptions['directories'];
  readonly intervalMs: number;
  readonly attemptTimeoutMs: number;
  /** What each trail is opened with, but for its directory. */
  readonly trail: Omit<ResolvedAuditTrailOptions, 'directory'>;
}

/** @throws {TypeError | RangeError} for an option that is missing or out of its range */
function resolveTrailAdoptionOptions(options: TrailAdoptionOptions): ResolvedTrailAdoptionOptions {
  const { directories, intervalMs = 300_000, attemptTimeoutMs = 30_000 } = options;
  if (typeof directories !== 'function') {
    throw new TypeError(`directories must be a function, got ${String(directories)}`);
  }
  checkWhole('intervalMs', intervalMs, 1, MAX_TIMER_MS);
  checkWhole('attemptTimeoutMs', attemptTimeoutMs, 1, MAX_TIMER_MS);
  // Checked now, not when the first orphan is found; each has its own directory.
  const trail = resolveAuditTrailOptions({ ...options, directory: '.' });
  return { directories, intervalMs, attemptTimeoutMs, trail };
}

/** An orphaned trail that could not be shipped yet. */
export interface OrphanHealth {
  /** For operators only. */
  readonly directory: string;
  /** `set_aside`: five rounds brought nothing. It is tried once a day from then on. */
  readonly state: 'waiting' | 'set_aside';
  /** Rounds since one brought something. */
  readonly attempts: number;
  /** Why the last one failed. */
  readonly code: AuditErrorCode;
}

/** Looks after orphaned trails until it is closed. */
export interface TrailAdoption extends AsyncDisposable {
  /** The orphans that were tried and are not shipped. */
  readonly orphans: () => readonly OrphanHealth[];
  /** Ends the round under way; what it could not ship stays where it is. */
  readonly close: () => Promise<void>;
}

interface Orphan extends OrphanHealth {
  /** In milliseconds since the Unix epoch. */
  readonly triedAt: number;
}

// So that some that are stuck hold up none of the others.
const CONCURRENT = 4;
const MAX_ATTEMPTS = 5;
const SET_ASIDE_MS = 24 * 60 * 60 * 1000;

/**
 * Ships what dead processes left in their trails: opens each directory that nobody holds and that has events a
 * sink does not have, closes its intents, delivers it and lets it go again. Runs in the background, now and then
 * at an interval. Each trail has its own time and its own attempts: one that is stuck holds up no other.
 * @throws {TypeError | RangeError} for an option that is missing or out of its range
 */
export function createTrailAdoption(options: TrailAdoptionOptions): TrailAdoption {
  const {
    directories,
    intervalMs,
    attemptTimeoutMs,
    trail: trailOptions,
  } = resolveTrailAdoptionOptions(options);
  const { logger, setTimer, now } = trailOptions;
  const orphans = new Map<string, Orphan>();
  /** Those with an intent whose task goes on, so that they are looked at again when nothing is to be shipped. */
  const continued = new Set<string>();
  const closing = new AbortController();
  const { signal } = closing;
  let cancelTimer: (() => void) | undefined;
  let round = runRound();

  async function runRound(): Promise<void> {
    try {
      const found = await directories();
      forget(found);
      const due = found.filter(isDue).toSorted((a, b) => attemptsAt(a) - attemptsAt(b));
      const next = due.values();
      const worker = async (): Promise<void> => {
        for (const directory of next) {
          if (signal.aborted) {
            return;
          }
          await lookAfter(directory);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENT }, worker));
    } catch (error) {
      if (!signal.aborted) {
        logger.warn({ err: error }, 'audit adoption failed');
      }
    }
    if (signal.aborted) {
      return;
    }
    const next = (): void => {
      round = runRound();
    };
    cancelTimer = setTimer(next, intervalMs, { keepsProcessAlive: false });
  }

  function attemptsAt(directory: string): number {
    return orphans.get(directory)?.attempts ?? 0;
  }

  function isDue(directory: string): boolean {
    const orphan = orphans.get(directory);
    // A clock that was set back makes nobody wait longer.
    return orphan?.state !== 'set_aside' || Math.abs(now() - orphan.triedAt) >= SET_ASIDE_MS;
  }

  function forget(found: readonly string[]): void {
    for (const directory of orphans.keys()) {
      if (!found.includes(directory)) {
        orphans.delete(directory);
      }
    }
  }

  async function lookAfter(directory: string): Promise<void> {
    try {
      if (continued.has(directory) || (await hasUndelivered(directory, trailOptions))) {
        await adopt(directory);
      }
      orphans.delete(directory);
    } catch (error) {
      if (!signal.aborted && !isLocked(error)) {
        note(directory, error);
      }
    }
  }

  async function adopt(directory: string): Promise<void> {
    continued.delete(directory);
    const outcomeOfTask: typeof trailOptions.outcomeOfTask = async (taskId) => {
      const end = await endOf(taskId, trailOptions);
      if (end === 'open') {
        continued.add(directory);
      }
      return end;
    };
    await using trail = await openAuditTrail({ ...trailOptions, outcomeOfTask, directory });
    logger.warn({ directory }, 'audit trail adopted');
    const before = trail.health().backlog;
    const late = new AbortController();
    const cancel = setTimer(() => late.abort(new Error('time is up')), attemptTimeoutMs, {
      keepsProcessAlive: false,
    });
    try {
      await trail.flush({ signal: AbortSignal.any([signal, late.signal]) });
    } catch (error) {
      if (trail.health().backlog < before) {
        // It is large, not stuck.
        orphans.delete(directory);
      }
      throw reasonOf(trail) ?? error;
    } finally {
      cancel();
    }
  }

  function note(directory: string, error: unknown): void {
    const attempts = attemptsAt(directory) + 1;
    const state = attempts < MAX_ATTEMPTS ? 'waiting' : 'set_aside';
    const code = error instanceof AuditError ? error.code : 'delivery_failed';
    orphans.set(directory, { directory, state, attempts, code, triedAt: now() });
    logger.warn({ err: error, directory, attempts }, 'audit trail not adopted');
    if (attempts === MAX_ATTEMPTS) {
      logger.error({ directory, code }, 'audit trail set aside');
    }
  }

  async function close(): Promise<void> {
    closing.abort(new Error('adoption closed'));
    cancelTimer?.();
    await round;
  }
  return {
    orphans: () =>
      [...orphans.values()].map(({ directory, state, attempts, code }) => ({
        directory,
        state,
        attempts,
        code,
      })),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Why a trail is not shipped, where a sink says so. */
function reasonOf(trail: AuditTrail): AuditError | undefined {
  const { lastError } = trail.health();
  return lastError?.sink === undefined ? undefined : new AuditError(lastError.code, lastError.message);
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'locked';
}

/** Whether the segments reach further than some sink's cursor. Only looks, so it may race with a writer. */
async function hasUndelivered(
  directory: string,
  { sinks, fileSystem }: ResolvedTrailAdoptionOptions['trail'],
): Promise<boolean> {
  const last = segmentNumbers(await listIfPresent(directory, fileSystem)).at(-1);
  if (last === undefined) {
    return false;
  }
  const path = segmentPath(directory, last);
  const sizeBytes = await withFile(fileSystem, path, 'read', (file) => file.size());
  const cursors = await Promise.all(
    sinks.map(({ name }) => readCursor(directory, fileSystem, name, silentLogger)),
  );
  return cursors.some((cursor) => cursor === undefined || cursor.segment < last || cursor.offset < sizeBytes);
}

// A process that starts has made its directory, but not the trail in it.
async function listIfPresent(directory: string, fileSystem: AuditFileSystem): Promise<string[]> {
  try {
    return await fileSystem.list(directory);
  } catch (error) {
    if (isMissing(error)) {
      return [];
    }
    throw error;
  }
}
