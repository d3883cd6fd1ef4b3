import { AuditError } from './errors.ts';
import type { AuditEvent } from './event.ts';
import { withFile, type AuditFileSystem } from './file-system.ts';
import { scanRecords, type LogPosition } from './record.ts';
import { parseEvent } from './recovery.ts';
import { segmentPath, type Segment } from './segments.ts';

/** Consecutive events and the position after them. Without events where nothing more is durable. */
export interface Batch {
  readonly events: readonly AuditEvent[];
  readonly end: LogPosition;
}

const MAX_BATCH_EVENTS = 100;
// Longer than any line, so that a read always holds at least one record.
const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * Reads the next events of the log, at most 100 and at most 1 MiB, never beyond what is durable.
 * @throws AuditError `damaged` when the record after `from` does not continue the chain
 */
export async function readBatch(
  directory: string,
  fileSystem: AuditFileSystem,
  segments: readonly Segment[],
  from: LogPosition,
): Promise<Batch> {
  for (const { number, sizeBytes } of segments) {
    const start = number === from.segment ? from.offset : 0;
    if (number < from.segment || start >= sizeBytes) continue;
    const path = segmentPath(directory, number);
    const length = Math.min(sizeBytes - start, MAX_BATCH_BYTES);
    const bytes = await withFile(fileSystem, path, 'read', (file) => file.read(start, length));
    const events: AuditEvent[] = [];
    let end: LogPosition | undefined;
    for (const { record, endOffset } of scanRecords(bytes, from)) {
      end = { segment: number, offset: start + endOffset, sequence: record.sequence, hash: record.hash };
      if (record.kind === 'event') events.push(parseEvent(record));
      if (events.length === MAX_BATCH_EVENTS) break;
    }
    if (end === undefined)
      throw new AuditError(
        'damaged',
        `The record after ${from.sequence} in ${path} does not continue the chain`,
      );
    return { events, end };
  }
  return { events: [], end: from };
}
