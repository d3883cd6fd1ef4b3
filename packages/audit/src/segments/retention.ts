import type { AuditFileSystem } from '../disk/file-system.ts';
import type { LogSegment } from './segment-files.ts';
import { readHeader } from './segment-header.ts';
import type { Retirement, SegmentLog } from './segment-log.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Finds the last segment that may go, with all before it: every sink has it, it was closed more than `keepDays`
 * ago, and no call that it opened is still under way.
 */
export async function findRetired(
  log: Pick<SegmentLog, 'segments' | 'firstOpenSegment'>,
  keptFrom: number,
  options: {
    readonly directory: string;
    readonly fileSystem: AuditFileSystem;
    readonly keepDays: number;
    readonly now: () => number;
  },
): Promise<Retirement | undefined> {
  const { directory, fileSystem, keepDays, now } = options;
  const closedBefore = now() - keepDays * DAY_MS;
  const firstOpen = Math.min(keptFrom, log.firstOpenSegment);
  let retired: Retirement | undefined;
  for (const [segment, next] of pairs(log.segments)) {
    if (segment.number >= firstOpen) {
      break;
    }
    // The next segment was created when this one was closed, and says where the chain stood.
    const follower = await readHeader(directory, fileSystem, next.number);
    if (follower === undefined || Date.parse(follower.header.createdAt) >= closedBefore) {
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
