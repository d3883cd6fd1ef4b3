import type { SetTimer } from '../clock.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { DiskShare } from '../disk/disk-share.ts';
import type { AuditFileSystem } from '../disk/file-system.ts';
import { FreeSpace } from '../disk/free-space.ts';
import type { AuditError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { agreedTime, findRetired, type RetentionClock } from '../segments/retention.ts';
import type { SegmentLog } from '../segments/segment-log.ts';

const INTERVAL_MS = 60_000;
// A leap second, or a clock that is corrected step by step, is less.
const MAX_CLOCK_LEAD_MS = 24 * 60 * 60 * 1000;

interface MaintenanceOptions extends RetentionClock {
  readonly log: SegmentLog;
  readonly deliveries: readonly Delivery[];
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  /** Without it nothing is removed. */
  readonly keepDays?: number | undefined;
  readonly minFreeBytes: number;
  readonly share: DiskShare;
  readonly setTimer: SetTimer;
  readonly logger: Logger;
}

/** Looks after the disk once a minute: removes what may go, and says when space runs low. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #freeSpace: FreeSpace;
  #isClockAhead = false;
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#freeSpace = new FreeSpace(options);
    this.#running = this.#run();
  }

  /** Set while the disk has less free space than it should, or the trail little of its share. */
  get trouble(): AuditError | undefined {
    return this.#freeSpace.trouble ?? this.#options.share.trouble;
  }

  /** Ends the round under way and begins no other. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, logger, setTimer, keepDays, share } = this.#options;
    try {
      await this.#freeSpace.measure();
      await share.measure(this.#freeSpace.freeBytes);
      if (keepDays !== undefined) {
        await this.#retire(keepDays);
      }
      if (!this.#isStopped) {
        await log.compressFinished();
        await share.measure(this.#freeSpace.freeBytes);
      }
    } catch (error) {
      logger.warn({ err: error }, 'audit maintenance failed');
    }
    if (this.#isStopped) {
      return;
    }
    this.#cancelTimer = setTimer(
      () => {
        this.#running = this.#run();
      },
      INTERVAL_MS,
      { keepsProcessAlive: false },
    );
  }

  async #retire(keepDays: number): Promise<void> {
    const { log, deliveries } = this.#options;
    const now = agreedTime(this.#options);
    this.#watchClock(this.#options.now() - now);
    const keptFrom = Math.min(Infinity, ...deliveries.map((delivery) => delivery.keptFrom));
    const retired = await findRetired(log, keptFrom, { ...this.#options, keepDays, now });
    if (retired !== undefined && !this.#isStopped) {
      await log.retire(retired);
    }
  }

  // A server that was switched off for days is a reason too; what is kept a few days longer does no harm.
  #watchClock(leadMs: number): void {
    if (leadMs > MAX_CLOCK_LEAD_MS && !this.#isClockAhead) {
      this.#isClockAhead = true;
      this.#options.logger.warn({ leadMs }, 'audit retention waits: the clock is ahead of the trail');
    }
  }
}
