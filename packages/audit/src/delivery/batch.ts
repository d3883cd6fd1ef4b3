import { parseCheckpoint, type AuditCheckpoint } from '../chain/checkpoint.ts';
import {
  continues,
  EVENT_KIND,
  GENESIS,
  scanLines,
  type LogPosition,
  type StoredRecord,
} from '../chain/record.ts';
import { withFile, type AuditFile, type AuditFileSystem } from '../disk/file-system.ts';
import { AuditError, isMissing } from '../errors.ts';
import type { AuditEvent } from '../event/event.ts';
import type { LogSegment } from '../segments/segment-files.ts';
import { parseHeader, readHeader, segmentPath } from '../segments/segment-header.ts';
import { parseEvent } from '../segments/stored-event.ts';

/** Consecutive records and the position after them. Without records where nothing more is durable. */
export interface Batch {
  readonly events: readonly AuditEvent[];
  readonly checkpoints: readonly AuditCheckpoint[];
  readonly end: LogPosition;
  /** Where records are missing or damaged, and were passed over. */
  readonly damage?: { readonly segment: number; readonly afterSequence: number } | undefined;
}

/** How many events a sink is given at a time. */
export const MAX_BATCH_EVENTS = 100;
// Longer than any line, so that a read always holds at least one record.
const MAX_BATCH_BYTES = 1024 * 1024;
const NEWEST_BYTES = 64 * 1024;

/**
 * Reads the next events of the log, at most `limit` and at most 1 MiB, never beyond what is durable. Passes
 * over what is damaged or gone, and says so: neither must hold back all that follows.
 * @throws {AuditError} `read_failed`
 */
export async function readBatch(
  directory: string,
  fileSystem: AuditFileSystem,
  segments: readonly LogSegment[],
  from: LogPosition,
  limit = MAX_BATCH_EVENTS,
): Promise<Batch> {
  let damage: Batch['damage'];
  for (const [index, segment] of segments.entries()) {
    const { number } = segment;
    if (number < from.segment) {
      continue;
    }
    const start = number === from.segment ? from.offset : 0;
    try {
      const sizeBytes =
        segment.sizeBytes ?? (await sizeOf(directory, fileSystem, number, segments[index + 1]));
      if (start >= sizeBytes) {
        continue;
      }
      const bytes = await withFile(fileSystem, segmentPath(directory, number), 'read', (file) =>
        file.read(start, Math.min(sizeBytes - start, MAX_BATCH_BYTES)),
      );
      if (bytes.length === 0) {
        // It was cut: what should be there is as gone as a whole file.
        damage ??= { segment: number, afterSequence: from.sequence };
        continue;
      }
      const batch = collect(bytes, { ...from, segment: number, offset: start }, limit);
      return damage === undefined ? batch : { ...batch, damage };
    } catch (cause) {
      if (!isMissing(cause)) {
        throw new AuditError('read_failed', `${segmentPath(directory, number)} cannot be read`, { cause });
      }
      damage ??= { segment: number, afterSequence: from.sequence };
    }
  }
  return { events: [], checkpoints: [], end: from, damage };
}

/** Reads the newest event among the last 64 KiB of the log; `undefined` where there is none. */
export async function readNewest(
  directory: string,
  fileSystem: AuditFileSystem,
  segment: LogSegment | undefined,
): Promise<AuditEvent | undefined> {
  if (segment === undefined) {
    return undefined;
  }
  const bytes = await withFile(fileSystem, segmentPath(directory, segment.number), 'read', async (file) => {
    const start = Math.max(0, (segment.sizeBytes ?? (await file.size())) - NEWEST_BYTES);
    return file.read(start, NEWEST_BYTES);
  });
  // The first line may be cut: then it is no record.
  const records = [...scanLines(bytes)].flatMap(({ record }) => record ?? []);
  const newest = records.findLast(({ kind }) => kind === EVENT_KIND);
  return newest && parseEvent(newest);
}

function collect(bytes: Buffer, from: LogPosition, limit: number): Batch {
  const events: AuditEvent[] = [];
  const checkpoints: AuditCheckpoint[] = [];
  let end = from;
  let damage: Batch['damage'];
  for (const { record, endOffset } of scanLines(bytes)) {
    if (record === undefined || !(continues(end, record) || startsChain(end, record))) {
      damage ??= { segment: from.segment, afterSequence: end.sequence };
    }
    const offset = from.offset + endOffset;
    // What has a number that is taken was delivered before.
    const isNew =
      record !== undefined && record.sequence >= end.sequence + (record.kind === EVENT_KIND ? 1 : 0);
    end = isNew ? { ...end, offset, sequence: record.sequence, hash: record.hash } : { ...end, offset };
    if (!isNew) {
      continue;
    }
    if (record.kind === EVENT_KIND) {
      events.push(parseEvent(record));
    }
    const checkpoint = parseCheckpoint(record);
    if (checkpoint !== undefined) {
      checkpoints.push(checkpoint);
    }
    if (events.length === limit) {
      break;
    }
  }
  if (end.offset === from.offset) {
    damage ??= { segment: from.segment, afterSequence: end.sequence };
    end = { ...end, offset: from.offset + bytes.length };
  }
  return { events, checkpoints, end, damage };
}

// Either a sink without a cursor begins at the oldest segment that was kept, or the record is the first after
// a chain that could not be continued; the start that wrote it raised the alert.
function startsChain(end: LogPosition, record: StoredRecord): boolean {
  const header = parseHeader(record);
  return header !== undefined && (end.hash === GENESIS.hash || header.broken !== undefined);
}

// The next segment says how much of this one is durable.
async function sizeOf(
  directory: string,
  fileSystem: AuditFileSystem,
  number: number,
  next: LogSegment | undefined,
): Promise<number> {
  try {
    const linked = next && (await readHeader(directory, fileSystem, next.number))?.header.previous;
    if (linked?.segment === number) {
      return linked.sizeBytes;
    }
  } catch {
    // What is wrong with the next one shows when it is its turn.
  }
  return withFile(fileSystem, segmentPath(directory, number), 'read', (file: AuditFile) => file.size());
}
