import { DatabaseSync } from 'node:sqlite';

import { TaskError } from './errors.ts';

const SQLITE_BUSY = 5;

/**
 * Holds `path` for this process; the kernel frees it even after kill -9, which a file with a process id in it cannot promise
 * (in a container that id is always 1). Works on local disks, not on NFS.
 *
 * @throws {TaskError} `locked` when another process, or this one, holds it already
 */
export function acquireProcessLock(path: string): Disposable {
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) {
      throw new TaskError('locked', path, { cause });
    }
    throw cause;
  }
  return { [Symbol.dispose]: () => lock.close() };
}
