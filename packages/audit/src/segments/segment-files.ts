import type { AuditFile, AuditFileSystem } from '../disk/file-system.ts';
import type { Logger } from '../logger.ts';
import type { RecoveredLog } from './recovery.ts';
import { segmentPath, type Segment } from './segment-header.ts';

/** A segment; the size of one that this run did not read is not known. */
export type LogSegment = RecoveredLog['segments'][number];

/** The segment that is written to; `sizeBytes` of it are durable. */
interface CurrentSegment extends Segment {
  readonly file: AuditFile;
}

interface SegmentFilesOptions {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number;
  readonly logger: Logger;
  readonly recovered: Pick<RecoveredLog, 'segments' | 'lastNumber'>;
}

/** The files of a log: those that are finished, and the one that is written to, by one commit at a time. */
export class SegmentFiles {
  readonly #options: SegmentFilesOptions;
  readonly #finished: LogSegment[];
  #current: CurrentSegment | undefined;
  #lastNumber: number;

  constructor(options: SegmentFilesOptions) {
    this.#options = options;
    this.#finished = [...options.recovered.segments];
    this.#lastNumber = options.recovered.lastNumber;
  }

  /** All of them, oldest first. */
  get all(): readonly LogSegment[] {
    return this.#current === undefined ? this.#finished : [...this.#finished, this.#current];
  }

  /** The newest that is not written to any more. */
  get lastFinished(): LogSegment | undefined {
    return this.#finished.at(-1);
  }

  /** The segment for the next group: the current one, or a new and empty one after it. */
  async writable(): Promise<CurrentSegment> {
    const { directory, fileSystem, segmentBytes } = this.#options;
    if (this.#current !== undefined && this.#current.sizeBytes < segmentBytes) {
      return this.#current;
    }
    if (this.#current !== undefined) {
      this.#finished.push({ number: this.#current.number, sizeBytes: this.#current.sizeBytes });
      const { file } = this.#current;
      this.#current = undefined;
      await file.close();
    }
    // A number is used once: a segment that failed is never opened for writing again.
    const number = ++this.#lastNumber;
    const file = await fileSystem.open(segmentPath(directory, number), 'create');
    this.#current = { number, file, sizeBytes: 0 };
    await fileSystem.syncDirectory(directory);
    return this.#current;
  }

  /** Takes note of how much of a segment is durable now. */
  grown(segment: CurrentSegment, sizeBytes: number): void {
    this.#current = { ...segment, sizeBytes };
  }

  /**
   * Ends the current segment at what earlier commits made durable; the next commit starts a new one. After a failed
   * fsync Linux marks the pages clean, so a second fsync would succeed without the data being on the disk.
   */
  async abandonCurrent(): Promise<void> {
    if (this.#current === undefined) {
      return;
    }
    const { number, file, sizeBytes } = this.#current;
    this.#current = undefined;
    if (sizeBytes > 0) {
      this.#finished.push({ number, sizeBytes });
    }
    try {
      await file.truncate(sizeBytes);
    } catch (error) {
      // Recovery cuts what is left: the next segment says which record it follows.
      this.#options.logger.warn({ err: error, segment: number }, 'audit segment not truncated');
    }
    try {
      await file.close();
      if (sizeBytes === 0) {
        await this.#options.fileSystem.remove(segmentPath(this.#options.directory, number));
      }
    } catch (error) {
      this.#options.logger.warn({ err: error, segment: number }, 'audit segment not removed');
    }
  }

  /** Removes the finished segments up to a number. */
  async removeUpTo(last: number): Promise<void> {
    const { directory, fileSystem } = this.#options;
    for (let first = this.#finished[0]; first !== undefined; first = this.#finished[0]) {
      if (first.number > last) {
        break;
      }
      await fileSystem.remove(segmentPath(directory, first.number));
      this.#finished.shift();
    }
    await fileSystem.syncDirectory(directory);
  }

  async close(): Promise<void> {
    await this.#current?.file.close();
  }
}
