import type { LogPosition } from '../chain/record.ts';
import type { AuditFileSystem } from '../disk/file-system.ts';
import type { AuditEvent } from '../event/event.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import { readBatch, readNewest, type Batch } from './batch.ts';

interface LogReaderOptions {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly log: SegmentLog;
}

/** Reads what is durable of a log that is being written. */
export interface LogReader {
  /**
   * The next events after a position, at most `limit`.
   * @throws {AuditError} `read_failed`
   */
  readonly read: (from: LogPosition, limit: number) => Promise<Batch>;
  /** The event right after a position, as a batch; `undefined` where there is none, or it cannot be read. */
  readonly readNext: (from: LogPosition) => Promise<Batch | undefined>;
  /** The newest event of all; `undefined` where there is none, or it cannot be read. */
  readonly readNewest: () => Promise<AuditEvent | undefined>;
  /** Where the next segment begins that can be read and has events; `undefined` where there is none. */
  readonly positionAfter: (unreadable: LogPosition) => Promise<LogPosition | undefined>;
}

/** Makes a reader of the log. */
export function createLogReader({ directory, fileSystem, log }: LogReaderOptions): LogReader {
  const read: LogReader['read'] = (from, limit) =>
    readBatch(directory, fileSystem, log.segments, from, limit);

  async function readNext(from: LogPosition): Promise<Batch | undefined> {
    try {
      const batch = await read(from, 1);
      return batch.events.length > 0 ? batch : undefined;
    } catch {
      // It is read again, and reported, when it is its turn.
      return undefined;
    }
  }

  return {
    read,
    readNext,
    async readNewest() {
      try {
        return await readNewest(directory, fileSystem, log.segments.at(-1));
      } catch {
        // One more event would have been of use; the delivery does not depend on it.
        return undefined;
      }
    },
    async positionAfter(unreadable) {
      for (const { number } of log.segments) {
        const from = { ...unreadable, segment: number, offset: 0 };
        if (number > unreadable.segment && (await readNext(from)) !== undefined) {
          return from;
        }
      }
      return undefined;
    },
  };
}
