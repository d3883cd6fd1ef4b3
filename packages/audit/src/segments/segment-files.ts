import type { CompressingFileSystem } from '../disk/compressed-segments.ts';
import type { AuditFile } from '../disk/file-system.ts';
import { AuditError } from '../errors.ts';
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
  readonly fileSystem: CompressingFileSystem;
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number;
  /** Whether segments that are finished are compressed. */
  readonly compressSegments: boolean;
  /** Whether the directory is still the one that was opened. */
  readonly isLockFound: () => boolean;
  readonly logger: Logger;
  readonly recovered: Pick<RecoveredLog, 'segments' | 'lastNumber'>;
}

/** The files of a log: those that are finished, and the one that is written to, by one commit at a time. */
export class SegmentFiles {
  readonly #options: SegmentFilesOptions;
  readonly #finished: LogSegment[];
  readonly #compressed = new Set<number>();
  /** Segments are compressed or removed one after the other: two at the same file would bring it back. */
  #tidying: Promise<void> = Promise.resolve();
  #isClosed = false;
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

  /**
   * The segment for the next group: the current one, or a new and empty one after it.
   * @throws {AuditError} `lost`
   */
  async writable(): Promise<CurrentSegment> {
    const { directory, fileSystem, segmentBytes, isLockFound } = this.#options;
    if (!isLockFound()) {
      throw new AuditError('lost', `${directory} is not the directory that was opened`);
    }
    if (this.#current !== undefined) {
      requireAtPath(this.#current, this.#current.sizeBytes);
    }
    if (this.#current !== undefined && this.#current.sizeBytes < segmentBytes) {
      return this.#current;
    }
    if (this.#current !== undefined) {
      const { number, sizeBytes, file } = this.#current;
      this.#finished.push({ number, sizeBytes, isWhole: true });
      this.#current = undefined;
      await file.close();
      void this.compressFinished();
    }
    // A number is used once: a segment that failed is never opened for writing again.
    const number = ++this.#lastNumber;
    const file = await fileSystem.open(segmentPath(directory, number), 'create');
    this.#current = { number, file, sizeBytes: 0 };
    await fileSystem.syncDirectory(directory);
    return this.#current;
  }

  /**
   * Appends a group; resolves when it is durable under the name of the segment: what can be read through an open
   * descriptor only is gone with the process.
   * @throws {AuditError} `lost`
   */
  async append(segment: CurrentSegment, bytes: Buffer): Promise<void> {
    await segment.file.writeDurably(bytes, segment.sizeBytes);
    const sizeBytes = segment.sizeBytes + bytes.length;
    requireAtPath(segment, sizeBytes);
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

  /** Compresses the finished segments that are known to be whole. */
  compressFinished(): Promise<void> {
    return this.#tidy(async () => {
      const { directory, fileSystem, compressSegments, logger } = this.#options;
      // The newest of all is where the next run looks for the end of the chain.
      const older = this.all.slice(0, -1);
      for (const { number, sizeBytes, isWhole = false } of compressSegments ? older : []) {
        if (this.#isClosed) {
          return;
        }
        if (sizeBytes === undefined || !isWhole || this.#compressed.has(number)) {
          continue;
        }
        try {
          await fileSystem.compress(segmentPath(directory, number), directory, sizeBytes);
          this.#compressed.add(number);
        } catch (error) {
          // It can be read as it is; the next round tries again.
          logger.warn({ err: error, segment: number }, 'audit segment not compressed');
        }
      }
    });
  }

  /** Removes the finished segments up to a number. */
  removeUpTo(last: number): Promise<void> {
    return this.#tidy(async () => {
      const { directory, fileSystem } = this.#options;
      for (let first = this.#finished[0]; first !== undefined; first = this.#finished[0]) {
        if (first.number > last) {
          break;
        }
        await fileSystem.remove(segmentPath(directory, first.number));
        this.#finished.shift();
      }
      await fileSystem.syncDirectory(directory);
    });
  }

  async close(): Promise<void> {
    await this.#current?.file.close();
    await this.compressFinished();
    this.#isClosed = true;
  }

  #tidy(work: () => Promise<void>): Promise<void> {
    const turn = this.#tidying.then(work);
    this.#tidying = turn.catch(() => {});
    return turn;
  }
}

function requireAtPath({ number, file }: CurrentSegment, sizeBytes: number): void {
  let found: number | undefined;
  try {
    found = file.sizeAtPath === undefined ? sizeBytes : file.sizeAtPath();
  } catch (cause) {
    throw new AuditError('lost', `Segment ${number} cannot be found by its name`, { cause });
  }
  if (found !== sizeBytes) {
    const state = found === undefined ? 'is not the file at its name' : `has ${found} bytes`;
    throw new AuditError('lost', `Segment ${number} of ${sizeBytes} bytes ${state}`);
  }
}
