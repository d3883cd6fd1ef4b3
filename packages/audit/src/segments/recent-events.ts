import { continues, EVENT_KIND, scanLines, type ChainTip } from '../chain/record.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import type { AuditEvent } from '../event/event.ts';
import type { LogSegment } from './segment-files.ts';
import { segmentPath } from './segment-header.ts';
import { parseEvent } from './stored-event.ts';

/** What is read of a segment, in bytes: events are mostly of 1 to 2 KiB. */
const TAIL_BYTES = 256 * 1024;
/** After a segment is full, the next one has few events at first. */
const MAX_SEGMENTS = 2;

/** The end of the log, as it is on the disk. */
export interface RecentEvents {
  /** Oldest first. */
  readonly events: readonly AuditEvent[];
  /**
   * `linked`: each record has its hash, and follows the one before it. `broken`: one was changed, or is missing. What lies
   * further back, and the signatures, `verifyTrail` looks at.
   */
  readonly chain: 'linked' | 'broken';
}

/** Reads the last events, at most `limit`, without looking at more than the end of two segments. */
export async function readRecent(
  directory: string,
  fileSystem: AuditFileSystem,
  segments: readonly LogSegment[],
  limit: number,
): Promise<RecentEvents> {
  let events: readonly AuditEvent[] = [];
  let isLinked = true;
  for (const segment of segments.slice(-MAX_SEGMENTS).toReversed()) {
    if (events.length >= limit) {
      break;
    }
    const tail = scanTail(await readTail(directory, fileSystem, segment));
    events = [...tail.events, ...events];
    isLinked &&= tail.isLinked;
  }
  return { events: limit === 0 ? [] : events.slice(-limit), chain: isLinked ? 'linked' : 'broken' };
}

/** The whole lines at the end of a segment, as far as it is durable. */
async function readTail(
  directory: string,
  fileSystem: AuditFileSystem,
  { number, sizeBytes }: LogSegment,
): Promise<Buffer> {
  return withFile(fileSystem, segmentPath(directory, number), 'read', async (file) => {
    const end = sizeBytes ?? (await file.size());
    const from = Math.max(0, end - TAIL_BYTES);
    const bytes = await file.read(from, end - from);
    return from === 0 ? bytes : bytes.subarray(bytes.indexOf('\n') + 1);
  });
}

function scanTail(bytes: Buffer): { readonly events: readonly AuditEvent[]; readonly isLinked: boolean } {
  const events: AuditEvent[] = [];
  let isLinked = true;
  let tip: ChainTip | undefined;
  for (const { record } of scanLines(bytes)) {
    if (record === undefined || (tip !== undefined && !continues(tip, record))) {
      isLinked = false;
    }
    tip = record;
    if (record?.kind === EVENT_KIND) {
      events.push(parseEvent(record));
    }
  }
  return { events, isLinked };
}
