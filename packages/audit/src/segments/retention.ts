import type { AuditFileSystem } from '../disk/file-system.ts';
import type { LogSegment } from './segment-files.ts';
import { readHeader } from './segment-header.ts';
import type { Retirement, SegmentLog } from './segment-log.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
// Some 90 GB a day at a run a minute, so that a mistake is seen before much is gone.
const MAX_RETIRED = 8;

/** What tells how old a segment is. */
export interface RetentionClock {
  /** Wall clock in milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds that passed since the trail was opened, whatever the wall clock was set to. */
  readonly elapsedMs: () => number;
  /** When the last record was made that was there then, in milliseconds since the Unix epoch. */
  readonly lastTime: number;
}

/**
 * The latest time that two clocks agree on: the wall clock, but no later than the last record of the run before and the
 * time that passed since. A wall clock that is set wrong, before or after the start, makes nothing look old.
 */
export function agreedTime({ now, elapsedMs, lastTime }: RetentionClock): number {
  return Math.min(now(), lastTime + elapsedMs());
}

/**
 * Finds the last segment that may go, with all before it: every sink has it, it was closed more than `keepDays`
 * ago, and no call that it opened is still under way. At most a few at a time.
 */
export async function findRetired(
  log: Pick<SegmentLog, 'segments' | 'firstOpenSegment'>,
  keptFrom: number,
  options: {
    readonly directory: string;
    readonly fileSystem: AuditFileSystem;
    readonly keepDays: number;
    /** In milliseconds since the Unix epoch. */
    readonly now: number;
  },
): Promise<Retirement | undefined> {
  const { directory, fileSystem, keepDays, now } = options;
  const closedBefore = now - keepDays * DAY_MS;
  const firstOpen = Math.min(keptFrom, log.firstOpenSegment);
  let retired: Retirement | undefined;
  // A clock that was behind for a while does not make a segment older than the one before it.
  let closedAt = -Infinity;
  for (const [segment, next] of pairs(log.segments).slice(0, MAX_RETIRED)) {
    if (segment.number >= firstOpen) {
      break;
    }
    // The next segment was created when this one was closed, and says where the chain stood.
    const follower = await readHeader(directory, fileSystem, next.number);
    closedAt = Math.max(closedAt, Date.parse(follower?.header.createdAt ?? ''));
    if (follower === undefined || !(closedAt < closedBefore)) {
      break;
    }
    const { sequence, previousHash } = follower.record;
    retired = { segment: segment.number, tip: { sequence, hash: previousHash } };
  }
  return retired;
}

function pairs(segments: readonly LogSegment[]): [LogSegment, LogSegment][] {
  return segments.flatMap((segment, index) => {
    const next = segments[index + 1];
    return next === undefined ? [] : [[segment, next]];
  });
}
