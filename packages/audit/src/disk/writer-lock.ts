import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { AuditError } from '../errors.ts';

const SQLITE_BUSY = 5;

/** A directory that is this writer's until it is released. */
export interface WriterLock {
  /** Whether the lock is still the one that another writer would find: its file was not removed or replaced. */
  readonly isFound: () => boolean;
  readonly release: () => void;
}

/**
 * Takes the directory for this writer. The lock is an open
 * SQLite transaction: the kernel ends it with the process, kill -9 included, and unlike a process id in a file
 * it holds across containers, where every process has number 1. Local disks only, not NFS.
 * @throws {AuditError} `locked`
 */
export async function lockDirectory(directory: string): Promise<WriterLock> {
  const path = join(directory, 'lock.db');
  await createPrivately(path);
  // Not an import: bundlers drop the `node:` prefix, without which this module has no name.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) {
      throw new AuditError('locked', `Another writer holds ${directory}`, { cause: error });
    }
    throw error;
  }
  const own = statSync(path, { bigint: true });
  return {
    isFound() {
      try {
        const found = statSync(path, { bigint: true, throwIfNoEntry: false });
        return found?.dev === own.dev && found.ino === own.ino;
      } catch {
        // What cannot be looked at is found by nobody.
        return false;
      }
    },
    release: () => database.close(),
  };
}

// Exclusively: to open and close a file that this process has locked would drop its POSIX lock.
async function createPrivately(path: string): Promise<void> {
  try {
    const handle = await open(path, 'wx', 0o600);
    await handle.close();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw error;
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
