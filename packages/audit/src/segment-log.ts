import type { SetTimer } from './clock.ts';
import { probeDisk } from './disk-probe.ts';
import { AuditError } from './errors.ts';
import { eventPayload, type EncodedEvent } from './event.ts';
import type { AuditFile, AuditFileSystem } from './file-system.ts';
import type { Logger } from './logger.ts';
import { encodeRecord, type ChainTip } from './record.ts';
import { segmentPath, type Segment } from './segments.ts';

export interface SegmentLogOptions {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number;
  readonly setTimer: SetTimer;
  readonly logger: Logger;
  /** What recovery found: the durable segments, oldest first, and the end of the chain. */
  readonly recovered: { readonly segments: readonly Segment[]; readonly tip: ChainTip };
  /** Called after each commit with the events it made durable. */
  readonly onCommit: (events: readonly EncodedEvent[]) => void;
}

const PROBE_INTERVAL_MS = 1000;

interface Waiting {
  readonly event: EncodedEvent;
  readonly resolve: () => void;
  readonly reject: (error: AuditError) => void;
}

interface CurrentSegment {
  readonly number: number;
  readonly sizeBytes: number;
  readonly file: AuditFile;
}

/**
 * The append-only record. Commits when idle: whatever waits when a commit ends is the next group, so one
 * caller waits for one fdatasync and sixty-four callers share one. No timer delays a commit.
 */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #finished: Segment[];
  #current: CurrentSegment | undefined;
  #lastNumber: number;
  #tip: ChainTip;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  #failure: AuditError | undefined;
  #isClosed = false;
  #probing: Promise<void> | undefined;
  #cancelProbe: (() => void) | undefined;

  constructor(options: SegmentLogOptions) {
    this.#options = options;
    this.#finished = [...options.recovered.segments];
    this.#lastNumber = this.#finished.at(-1)?.number ?? 0;
    this.#tip = options.recovered.tip;
  }

  /** The durable segments, oldest first. Bytes beyond these sizes belong to no acknowledged event. */
  get segments(): readonly Segment[] {
    return this.#current === undefined ? this.#finished : [...this.#finished, this.#current];
  }

  /** The last durable record. */
  get tip(): ChainTip {
    return this.#tip;
  }

  /** Why the last commit failed; `undefined` once one succeeds, or the disk takes a scratch file again. */
  get failure(): AuditError | undefined {
    return this.#failure;
  }

  /**
   * Resolves when the event is durable.
   * @throws AuditError `unavailable`
   */
  append(event: EncodedEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject });
      this.#committing ??= this.#commitWaiting();
    });
  }

  /** Waits for the commits under way and closes the file. Nothing may be appended afterwards. */
  async close(): Promise<void> {
    await this.#committing;
    this.#isClosed = true;
    this.#cancelProbe?.();
    await this.#probing;
    await this.#current?.file.close();
  }

  async #commitWaiting(): Promise<void> {
    try {
      for (;;) {
        // Until the promises that are settled now have run their course: calls made together, and callers
        // whose last commit just ended, share one group.
        await new Promise<void>((resolve) => process.nextTick(resolve));
        if (this.#waiting.length === 0) return;
        const group = this.#waiting;
        this.#waiting = [];
        await this.#commitGroup(group);
      }
    } finally {
      this.#committing = undefined;
    }
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    const events = group.map(({ event }) => event);
    try {
      await this.#commit(events);
      this.#failure = undefined;
    } catch (cause) {
      const error = new AuditError('unavailable', 'A group of events could not be made durable', { cause });
      this.#failure = error;
      this.#options.logger.error({ error, events: group.length }, 'audit commit failed');
      await this.#abandonCurrent();
      this.#probeLater();
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
    this.#options.onCommit(events);
  }

  async #commit(events: readonly EncodedEvent[]): Promise<void> {
    const { number, file, sizeBytes } = await this.#writableSegment();
    let tip = this.#tip;
    const lines: string[] = [];
    for (const event of events) {
      const encoded = encodeRecord(tip, 'event', eventPayload(event, tip.sequence + 1));
      tip = encoded.tip;
      lines.push(encoded.line);
    }
    const bytes = Buffer.from(lines.join(''));
    await file.writeDurably(bytes, sizeBytes);
    this.#current = { number, file, sizeBytes: sizeBytes + bytes.length };
    this.#tip = tip;
  }

  async #writableSegment(): Promise<CurrentSegment> {
    const { directory, fileSystem, segmentBytes } = this.#options;
    if (this.#current !== undefined && this.#current.sizeBytes < segmentBytes) return this.#current;
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

  // A failed trail makes its server unready, and an unready server gets no call whose commit could succeed.
  #probeLater(): void {
    if (this.#isClosed) return;
    this.#cancelProbe ??= this.#options.setTimer(
      () => {
        this.#probing = this.#probe();
      },
      PROBE_INTERVAL_MS,
      { keepsProcessAlive: false },
    );
  }

  async #probe(): Promise<void> {
    this.#cancelProbe = undefined;
    const probed = this.#failure;
    if (probed === undefined) return;
    try {
      await probeDisk(this.#options.directory, this.#options.fileSystem);
      // A commit may have failed meanwhile; that failure has not been probed.
      if (this.#failure === probed) this.#failure = undefined;
    } catch (error) {
      this.#options.logger.warn({ error }, 'audit disk probe failed');
    }
    if (this.#failure !== undefined) this.#probeLater();
  }

  // After a failed fsync Linux marks the pages clean, so a second fsync would succeed without the data being
  // on the disk. The file keeps what earlier commits made durable; the next commit starts a new one.
  async #abandonCurrent(): Promise<void> {
    if (this.#current === undefined) return;
    const { number, file, sizeBytes } = this.#current;
    this.#current = undefined;
    if (sizeBytes > 0) this.#finished.push({ number, sizeBytes });
    try {
      await file.truncate(sizeBytes);
    } catch (error) {
      // Recovery cuts what is left: the next segment says which record it follows.
      this.#options.logger.warn({ error, segment: number }, 'audit segment not truncated');
    }
    try {
      await file.close();
      if (sizeBytes === 0)
        await this.#options.fileSystem.remove(segmentPath(this.#options.directory, number));
    } catch (error) {
      this.#options.logger.warn({ error, segment: number }, 'audit segment not removed');
    }
  }
}
