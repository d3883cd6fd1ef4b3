import { constants } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** What platforms do differently with files; docs/platforms.md says what that means for an operator. */
export interface PlatformFiles {
  /** Whether a file's mode says who may read it. */
  readonly hasModes: boolean;
  /** Whether a file keeps the time of its creation for as long as it lives. */
  readonly hasBirths: boolean;
  /** Opens a file so that a write resolves when it is on the disk; 0 where that takes a flush. */
  readonly synchronousFlag: number;
  readonly open: typeof open;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Makes creations, renames and removals in a directory durable. */
  readonly syncDirectory: (path: string) => Promise<void>;
}

/** Waits as long as a virus scanner or an indexer takes: 1.3 seconds in all. */
const RETRY_DELAYS_MS = [10, 20, 40, 80, 160, 320, 640];
const IN_USE_CODES: ReadonlySet<unknown> = new Set(['EPERM', 'EBUSY', 'EACCES']);

/** The file operations that depend on the platform. */
export function createPlatformFiles(platform: NodeJS.Platform): PlatformFiles {
  if (platform === 'win32') {
    return {
      hasModes: false,
      // Where a volume has none, or under emulation, it is the time of the last change.
      hasBirths: false,
      synchronousFlag: 0,
      open: patient(open),
      rename: patient(rename),
      remove: patient(unlink),
      // A directory cannot be flushed there; NTFS keeps a journal of what is created, renamed and removed.
      async syncDirectory() {},
    };
  }
  return {
    hasModes: true,
    hasBirths: true,
    // One trip to the thread pool instead of two. Elsewhere the flag is missing or stops at the drive's cache.
    synchronousFlag: platform === 'linux' ? constants.O_DSYNC : 0,
    open,
    rename,
    remove: unlink,
    async syncDirectory(path) {
      const handle = await open(path, constants.O_RDONLY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

/** Of this machine. */
export const platformFiles: PlatformFiles = createPlatformFiles(process.platform);

/** Another program that reads a file keeps it from being renamed or removed, for a moment. */
function patient<A extends unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  return async (...args) => {
    for (const delayMs of RETRY_DELAYS_MS) {
      try {
        return await work(...args);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && IN_USE_CODES.has(error.code))) {
          throw error;
        }
        await setTimeout(delayMs);
      }
    }
    return work(...args);
  };
}
