import type { SetTimer } from '../clock.ts';
import type { AuditError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { probeDisk } from './disk-probe.ts';
import { isDiskFull, type DiskReserve } from './disk-reserve.ts';
import type { AuditFileSystem } from './file-system.ts';

const PROBE_INTERVAL_MS = 1000;

interface DiskTroubleOptions {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly reserve: DiskReserve;
  readonly setTimer: SetTimer;
  readonly logger: Logger;
}

/** Whether the disk takes what is written: says so from the first failed commit until it does again. */
export class DiskTrouble {
  readonly #options: DiskTroubleOptions;
  #failure: AuditError | undefined;
  #isFull = false;
  #isClosed = false;
  #probing: Promise<void> | undefined;
  #cancelProbe: (() => void) | undefined;

  constructor(options: DiskTroubleOptions) {
    this.#options = options;
  }

  /** Why the last commit failed; `undefined` once one succeeds, or the disk takes a scratch file again. */
  get failure(): AuditError | undefined {
    return this.#failure;
  }

  /** The failure while the disk is full and its reserve in use: outcomes are taken, intents are not. */
  get fullDisk(): AuditError | undefined {
    return this.#isFull ? this.#failure : undefined;
  }

  /** Takes note of a commit that failed. */
  failed(error: AuditError): void {
    this.#failure = error;
  }

  /** Takes note of a commit that succeeded. */
  succeeded(): void {
    if (!this.#isFull) {
      this.#failure = undefined;
    }
  }

  /** Begins to look for the end of the trouble; `true` when there is room now to repeat the commit. */
  async makeRoom(cause: unknown): Promise<boolean> {
    const { reserve, logger } = this.#options;
    this.#probeLater();
    if (!isDiskFull(cause) || !reserve.isHeld) {
      return false;
    }
    this.#isFull = true;
    try {
      await reserve.release();
      return true;
    } catch (error) {
      logger.error({ err: error }, 'audit reserve not released');
      return false;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelProbe?.();
    await this.#probing;
  }

  // A failed trail makes its server unready, and an unready server gets no call whose commit could succeed.
  #probeLater(): void {
    if (this.#isClosed) {
      return;
    }
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
    if (probed === undefined) {
      return;
    }
    try {
      if (this.#isFull) {
        await this.#options.reserve.hold();
      } else {
        await probeDisk(this.#options.directory, this.#options.fileSystem);
      }
      this.#isFull = false;
      // A commit may have failed meanwhile; that failure has not been probed.
      if (this.#failure === probed) {
        this.#failure = undefined;
      }
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'audit disk probe failed');
    }
    if (this.#failure !== undefined) {
      this.#probeLater();
    }
  }
}
