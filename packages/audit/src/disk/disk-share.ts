import { join } from 'node:path';

import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encode.ts';
import type { Logger } from '../logger.ts';
import { withFile, type AuditFileSystem } from './file-system.ts';

/** What the trail takes of the disk, and how long that goes well. */
export interface AuditDiskUse {
  /** The files of the trail, in bytes. */
  readonly usedBytes: number;
  /** Its share: beyond it no intent is recorded. */
  readonly maxBytes: number;
  /** What the disk has left for everybody, where it says so. */
  readonly freeBytes?: number | undefined;
  /** How much the trail grew a day, over at most the last day; what was removed counts. Absent in the first minute. */
  readonly growthBytesPerDay?: number | undefined;
  /** When the share or the disk is used up at this growth, in hours. Absent while the trail does not grow. */
  readonly hoursLeft?: number | undefined;
}

interface DiskShareOptions {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly maxBytes: number;
  readonly now: () => number;
  readonly logger: Logger;
}

interface Sample {
  readonly at: number;
  readonly usedBytes: number;
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const SAMPLE_INTERVAL_MS = HOUR_MS / 4;
const MIN_SPAN_MS = 60_000;
const WARN_AT = 0.8;
/** What the chain adds to an event. */
const RECORD_BYTES = 256;

/** Keeps the trail within its share of the disk, and foretells when that is used up. */
export class DiskShare {
  readonly #options: DiskShareOptions;
  #usedBytes = 0;
  #freeBytes: number | undefined;
  /** Of files that no longer change, by name. */
  #sizes = new Map<string, number>();
  #samples: Sample[] = [];

  constructor(options: DiskShareOptions) {
    this.#options = options;
  }

  /** Set while the share is used up. */
  get failure(): AuditError | undefined {
    const { maxBytes } = this.#options;
    return this.#usedBytes < maxBytes
      ? undefined
      : new AuditError('disk_quota', `The trail has ${this.#usedBytes} bytes, its share is ${maxBytes}`);
  }

  /** Set while less than a fifth of the share is left. */
  get trouble(): AuditError | undefined {
    const { maxBytes } = this.#options;
    return this.#usedBytes < maxBytes * WARN_AT
      ? undefined
      : new AuditError('disk_low', `The trail has ${this.#usedBytes} bytes, its share is ${maxBytes}`);
  }

  /** How much there is, and how long it lasts. */
  get use(): AuditDiskUse {
    const { maxBytes, now } = this.#options;
    const usedBytes = this.#usedBytes;
    const freeBytes = this.#freeBytes;
    const [first] = this.#samples;
    const span = first === undefined ? 0 : now() - first.at;
    if (first === undefined || span < MIN_SPAN_MS) {
      return { usedBytes, maxBytes, freeBytes };
    }
    const growthBytesPerDay = Math.round(((usedBytes - first.usedBytes) / span) * DAY_MS);
    const left = Math.max(0, Math.min(maxBytes - usedBytes, freeBytes ?? Infinity));
    const hoursLeft = growthBytesPerDay > 0 ? (left / growthBytesPerDay) * 24 : undefined;
    return { usedBytes, maxBytes, freeBytes, growthBytesPerDay, hoursLeft };
  }

  /** Takes note of what just became durable. */
  committed(events: readonly EncodedEvent[]): void {
    for (const { body } of events) {
      this.#usedBytes += Buffer.byteLength(body) + RECORD_BYTES;
    }
  }

  /** Looks at the files. */
  async measure(freeBytes: number | undefined): Promise<void> {
    this.#freeBytes = freeBytes;
    const wasUsedUp = this.failure !== undefined;
    this.#usedBytes = await this.#sizeOfFiles();
    if (this.failure !== undefined && !wasUsedUp) {
      const { logger, maxBytes } = this.#options;
      logger.error({ usedBytes: this.#usedBytes, maxBytes }, 'audit disk share used up');
    }
    this.#sample();
  }

  async #sizeOfFiles(): Promise<number> {
    const { directory, fileSystem } = this.#options;
    const names = (await fileSystem.list(directory)).filter((name) => name.includes('.jsonl'));
    const current = names
      .filter((name) => SEGMENT.test(name))
      .toSorted()
      .at(-1);
    const sizes = new Map<string, number>();
    let sum = 0;
    for (const name of names) {
      const size = this.#sizes.get(name) ?? (await sizeOf(fileSystem, join(directory, name)));
      sum += size;
      if (CLOSED.test(name) && name !== current) {
        sizes.set(name, size);
      }
    }
    this.#sizes = sizes;
    return sum;
  }

  #sample(): void {
    const at = this.#options.now();
    const last = this.#samples.at(-1);
    if (last !== undefined && at < last.at) {
      // The clock was set back: what was measured before it says nothing now.
      this.#samples = [];
    }
    if (last === undefined || at < last.at || at - last.at >= SAMPLE_INTERVAL_MS) {
      this.#samples = [
        ...this.#samples.filter((sample) => at - sample.at <= DAY_MS),
        { at, usedBytes: this.#usedBytes },
      ];
    }
  }
}

const SEGMENT = /^\d{10}\.jsonl$/u;
/** Segments in any form: once another one follows, they stay as they are until they go. */
const CLOSED = /^\d{10}\.jsonl/u;

async function sizeOf(fileSystem: AuditFileSystem, path: string): Promise<number> {
  try {
    return await withFile(fileSystem, path, 'read', (file) => file.size());
  } catch {
    // It was removed meanwhile, or cannot be read: then it does not grow.
    return 0;
  }
}
