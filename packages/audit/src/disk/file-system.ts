import { constants, statSync, write as writeSome } from 'node:fs';
import { mkdir, readdir, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { platformFiles } from './platform-files.ts';

/** An open file of the trail. */
export interface AuditFile {
  /** Writes all of `bytes` at `offset`. */
  readonly write: (bytes: Uint8Array, offset: number) => Promise<void>;
  /**
   * Writes all of `bytes` at `offset`; resolves when they and the new size are on the disk. After it rejected
   * nobody knows what is.
   */
  readonly writeDurably: (bytes: Uint8Array, offset: number) => Promise<void>;
  /** Reads at most `length` bytes from `offset`; fewer only at the end of the file. */
  readonly read: (offset: number, length: number) => Promise<Buffer>;
  readonly size: () => Promise<number>;
  /**
   * The size of the file at the path that this one was created with, in bytes; `undefined` when that is another file by
   * now, or none. Asked before and after each commit, so it must not take long; without it nobody looks.
   * @throws {Error} when the path cannot be looked at
   */
  readonly sizeAtPath?: (() => number | undefined) | undefined;
  /** Resolves when data and size are on the disk. */
  readonly datasync: () => Promise<void>;
  readonly truncate: (sizeBytes: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The few file operations the trail needs; a test passes one that counts or fails. */
export interface AuditFileSystem {
  /** Creates a directory (mode 0700) and its parents. */
  readonly makeDirectory: (path: string) => Promise<void>;
  readonly list: (path: string) => Promise<string[]>;
  /**
   * `create` fails when the file exists; `update` creates it when missing. New files have mode 0600. What is no regular
   * file is refused, at once.
   */
  readonly open: (path: string, mode: 'create' | 'update' | 'read') => Promise<AuditFile>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** How much space the disk of a directory has left; without it nobody warns that it runs low. */
  readonly freeBytes?: ((path: string) => Promise<number>) | undefined;
  /** Makes creations, renames and removals in a directory durable. */
  readonly syncDirectory: (path: string) => Promise<void>;
}

const { synchronousFlag } = platformFiles;

/** Whoever opens a pipe would wait for its other end; Windows has none in directories. */
const WITHOUT_WAIT = (constants as Partial<typeof constants>).O_NONBLOCK ?? 0;
/** For what may be a pipe and must be a file: whoever opens it looks. */
export const READ_WITHOUT_WAIT: number = constants.O_RDONLY | WITHOUT_WAIT;
const FLAGS = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | synchronousFlag,
  update: constants.O_RDWR | constants.O_CREAT | WITHOUT_WAIT,
  read: READ_WITHOUT_WAIT,
};

/** The file system of the machine. */
export const nodeFileSystem: AuditFileSystem = {
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (path) => readdir(path),
  async open(path, mode) {
    const handle = await platformFiles.open(path, FLAGS[mode], 0o600);
    if (!(await handle.stat()).isFile()) {
      await handle.close();
      throw new Error(`${path} is not a regular file`);
    }
    const file = auditFile(handle, mode === 'create' && synchronousFlag !== 0);
    return mode === 'create' ? { ...file, sizeAtPath: await sizeAtPath(path, handle) } : file;
  },
  rename: platformFiles.rename,
  remove: platformFiles.remove,
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  syncDirectory: platformFiles.syncDirectory,
};

// At once, not on the thread pool: the name was used a moment ago, so the answer is in memory.
async function sizeAtPath(path: string, handle: FileHandle): Promise<() => number | undefined> {
  const own = await handle.stat({ bigint: true });
  return () => {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found?.dev === own.dev && found.ino === own.ino ? Number(found.size) : undefined;
  };
}

function auditFile(handle: FileHandle, isSynchronous: boolean): AuditFile {
  let writing = 0;
  let whenWritten = (): void => {};

  // By the descriptor: a commit is one write, and `handle.write` takes half as much of the processor again.
  function write(bytes: Uint8Array, offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const writeFrom = (done: number): void => {
        if (done === bytes.length) {
          resolve();
          return;
        }
        writing += 1;
        writeSome(handle.fd, bytes, done, bytes.length - done, offset + done, (error, bytesWritten) => {
          writing -= 1;
          whenWritten();
          if (error === null) {
            writeFrom(done + bytesWritten);
          } else {
            reject(error);
          }
        });
      };
      writeFrom(0);
    });
  }
  return {
    write,
    writeDurably: isSynchronous
      ? write
      : async (bytes, offset) => {
          await write(bytes, offset);
          await handle.datasync();
        },
    async read(offset, length) {
      const buffer = Buffer.alloc(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
        if (bytesRead === 0) {
          break;
        }
        done += bytesRead;
      }
      return buffer.subarray(0, done);
    },
    size: async () => (await handle.stat()).size,
    datasync: () => handle.datasync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    async close() {
      // The number of a descriptor that is closed is another file's soon.
      if (writing > 0) {
        await new Promise<void>((resolve) => {
          whenWritten = () => writing === 0 && resolve();
        });
      }
      await handle.close();
    },
  };
}

/** Opens a file, passes it to `use` and closes it whatever happens. */
export async function withFile<T>(
  fileSystem: AuditFileSystem,
  path: string,
  mode: 'create' | 'update' | 'read',
  use: (file: AuditFile) => Promise<T>,
): Promise<T> {
  const file = await fileSystem.open(path, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Replaces a file whole: after a crash it holds the old bytes or the new ones. Durable when it resolves. */
export async function replaceFile(
  fileSystem: AuditFileSystem,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = join(directory, name);
  await withFile(fileSystem, `${path}.tmp`, 'update', async (file) => {
    await file.truncate(0);
    await file.write(bytes, 0);
    await file.datasync();
  });
  await fileSystem.rename(`${path}.tmp`, path);
  await fileSystem.syncDirectory(directory);
}

/** The bytes of a file, or `undefined` when there is none. */
export async function readIfPresent(
  fileSystem: AuditFileSystem,
  directory: string,
  name: string,
): Promise<Buffer | undefined> {
  try {
    return await withFile(fileSystem, join(directory, name), 'read', async (file) =>
      file.read(0, await file.size()),
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
