import { AuditError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { AuditFileSystem } from './file-system.ts';

interface FreeSpaceOptions {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly minFreeBytes: number;
  readonly logger: Logger;
}

/** Says when the disk runs low, before it is full. */
export class FreeSpace {
  readonly #options: FreeSpaceOptions;
  #trouble: AuditError | undefined;
  #freeBytes: number | undefined;

  constructor(options: FreeSpaceOptions) {
    this.#options = options;
  }

  /** Set while the disk had less free space than it should when it was last measured. */
  get trouble(): AuditError | undefined {
    return this.#trouble;
  }

  /** What it was when it was last measured; `undefined` where the disk does not say. */
  get freeBytes(): number | undefined {
    return this.#freeBytes;
  }

  /** Measures; logs once when space begins to run low. */
  async measure(): Promise<void> {
    const { directory, fileSystem, minFreeBytes, logger } = this.#options;
    const freeBytes = await fileSystem.freeBytes?.(directory);
    this.#freeBytes = freeBytes;
    const isLow = freeBytes !== undefined && freeBytes < minFreeBytes;
    if (isLow && this.#trouble === undefined) {
      logger.error({ freeBytes, minFreeBytes }, 'audit disk is low');
    }
    this.#trouble = isLow ? new AuditError('disk_low', `${freeBytes} bytes are free`) : undefined;
  }
}
