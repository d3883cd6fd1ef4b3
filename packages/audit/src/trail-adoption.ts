import { openAuditTrail } from './audit-trail.ts';
import { checkWhole, MAX_TIMER_MS } from './check-number.ts';
import { readCursor } from './delivery/cursor.ts';
import { withFile, type AuditFileSystem } from './disk/file-system.ts';
import { silentLogger } from './logger.ts';
import { segmentNumbers, segmentPath } from './segments/segment-header.ts';
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
}

interface ResolvedTrailAdoptionOptions {
  readonly directories: TrailAdoptionOptions['directories'];
  readonly intervalMs: number;
  /** What each trail is opened with, but for its directory. */
  readonly trail: Omit<ResolvedAuditTrailOptions, 'directory'>;
}

/** @throws {TypeError | RangeError} for an option that is missing or out of its range */
function resolveTrailAdoptionOptions(options: TrailAdoptionOptions): ResolvedTrailAdoptionOptions {
  const { directories, intervalMs = 300_000 } = options;
  if (typeof directories !== 'function') {
    throw new TypeError(`directories must be a function, got ${String(directories)}`);
  }
  checkWhole('intervalMs', intervalMs, 1, MAX_TIMER_MS);
  // Checked now, not when the first orphan is found; each has its own directory.
  return { directories, intervalMs, trail: resolveAuditTrailOptions({ ...options, directory: '.' }) };
}

/** Looks after orphaned trails until it is closed. */
export interface TrailAdoption extends AsyncDisposable {
  /** Ends the round under way; what it could not ship stays where it is. */
  readonly close: () => Promise<void>;
}

/**
 * Ships what dead processes left in their trails: opens each directory that nobody holds and that has events a
 * sink does not have, closes its intents, delivers it and lets it go again. Runs in the background, now and then
 * at an interval.
 * @throws {TypeError | RangeError} for an option that is missing or out of its range
 */
export function createTrailAdoption(options: TrailAdoptionOptions): TrailAdoption {
  const { directories, intervalMs, trail: trailOptions } = resolveTrailAdoptionOptions(options);
  const { logger, setTimer } = trailOptions;
  const closing = new AbortController();
  const { signal } = closing;
  let cancelTimer: (() => void) | undefined;
  let round = runRound();

  async function runRound(): Promise<void> {
    try {
      for (const directory of await directories()) {
        if (signal.aborted) {
          return;
        }
        if (await hasUndelivered(directory, trailOptions)) {
          await adopt(directory);
        }
      }
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

  async function adopt(directory: string): Promise<void> {
    try {
      await using trail = await openAuditTrail({ ...trailOptions, directory });
      logger.warn({ directory }, 'audit trail adopted');
      await trail.flush({ signal });
    } catch (error) {
      if (signal.aborted || (error instanceof Error && 'code' in error && error.code === 'locked')) {
        return;
      }
      logger.warn({ err: error, directory }, 'audit trail not adopted');
    }
  }

  async function close(): Promise<void> {
    closing.abort(new Error('adoption closed'));
    cancelTimer?.();
    await round;
  }
  return { close, [Symbol.asyncDispose]: close };
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
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}
