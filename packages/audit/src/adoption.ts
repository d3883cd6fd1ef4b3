import { openAuditTrail } from './audit-trail.ts';
import { systemTimer } from './clock.ts';
import { readCursor } from './delivery/cursor.ts';
import { nodeFileSystem, withFile, type AuditFileSystem } from './disk/file-system.ts';
import { silentLogger } from './logger.ts';
import { segmentNumbers, segmentPath } from './segments/segment-header.ts';
import type { AuditTrailOptions } from './trail-options.ts';

/** How orphaned trails are found and shipped. */
export interface AdoptTrailsOptions extends Omit<AuditTrailOptions, 'directory'> {
  /** Lists the directories that may hold a trail; asked again before each round. One that is in use is left alone. */
  readonly directories: () => Promise<readonly string[]>;
  /** Time between the end of a round and the next, in ms. @default 300000 */
  readonly intervalMs?: number;
}

/** Looks after orphaned trails until it is closed. */
export interface TrailAdoption extends AsyncDisposable {
  /** Ends the round under way; what it could not ship stays where it is. */
  close(): Promise<void>;
}

/**
 * Ships what dead processes left in their trails: opens each directory that nobody holds and that has events a
 * sink does not have, closes its intents, delivers it and lets it go again. Runs in the background, now and then
 * at an interval.
 */
export function adoptTrails(options: AdoptTrailsOptions): TrailAdoption {
  const {
    directories,
    intervalMs = 300_000,
    logger = silentLogger,
    setTimer = systemTimer,
    ...settings
  } = options;
  if (!(intervalMs > 0)) throw new RangeError(`intervalMs must be positive, got ${intervalMs}`);
  const closing = new AbortController();
  const { signal } = closing;
  let cancelTimer: (() => void) | undefined;
  let round = runRound();

  async function runRound(): Promise<void> {
    try {
      for (const directory of await directories()) {
        if (signal.aborted) return;
        if (await hasUndelivered(directory, options)) await adopt(directory);
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ error }, 'audit adoption failed');
    }
    if (signal.aborted) return;
    const next = (): void => {
      round = runRound();
    };
    cancelTimer = setTimer(next, intervalMs, { keepsProcessAlive: false });
  }

  async function adopt(directory: string): Promise<void> {
    try {
      await using trail = await openAuditTrail({ ...settings, logger, setTimer, directory });
      logger.warn({ directory }, 'audit trail adopted');
      await trail.flush({ signal });
    } catch (error) {
      if (signal.aborted || (error instanceof Error && 'code' in error && error.code === 'locked')) return;
      logger.warn({ error, directory }, 'audit trail not adopted');
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
  { sinks, fileSystem = nodeFileSystem }: AdoptTrailsOptions,
): Promise<boolean> {
  const last = segmentNumbers(await listIfPresent(directory, fileSystem)).at(-1);
  if (last === undefined) return false;
  const path = segmentPath(directory, last);
  const sizeBytes = await withFile(fileSystem, path, 'read', (file) => file.size());
  const cursors = await Promise.all(
    sinks.map(({ name }) => readCursor(directory, fileSystem, name, silentLogger)),
  );
  return cursors.some((cursor) => cursor === undefined || cursor.segment < last || cursor.offset < sizeBytes);
}

// A process that starts has made its folder, but not the trail in it.
async function listIfPresent(directory: string, fileSystem: AuditFileSystem): Promise<string[]> {
  try {
    return await fileSystem.list(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
