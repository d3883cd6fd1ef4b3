import { join } from 'node:path';

import { withFile, type AuditFileSystem } from './file-system.ts';

/**
 * Space that is kept for the day the disk is full: given back then, it has room for the outcomes of the calls
 * that are under way.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #fileSystem: AuditFileSystem;
  readonly #sizeBytes: number;
  #isHeld = false;

  constructor(directory: string, fileSystem: AuditFileSystem, sizeBytes: number) {
    this.#path = join(directory, 'reserve');
    this.#fileSystem = fileSystem;
    this.#sizeBytes = sizeBytes;
  }

  /** Whether the space is taken. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Takes the space; rejects when the disk does not have it. */
  async hold(): Promise<void> {
    try {
      await withFile(this.#fileSystem, this.#path, 'update', async (file) => {
        if ((await file.size()) === this.#sizeBytes) {
          return;
        }
        // Zeros are written: a file that only claims a size takes no space.
        await file.write(Buffer.alloc(this.#sizeBytes), 0);
        await file.datasync();
      });
      this.#isHeld = true;
    } catch (error) {
      // It may not be there to be removed; why it could not be written is what counts.
      await this.release().catch(() => {});
      throw error;
    }
  }

  /** Gives the space back. */
  async release(): Promise<void> {
    this.#isHeld = false;
    await this.#fileSystem.remove(this.#path);
  }
}

/** Whether an operation failed because there was no space left. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
