import { constants, type promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';

type Files = typeof promises;

// What a virus scanner that still has a look at a file answers with.
const TRANSIENT_CODES = ['EBUSY', 'EPERM', 'EACCES'];
const WRITABLE = constants.O_WRONLY | constants.O_RDWR;

/** The file system of the machine, but it refuses what Windows refuses; it knows only the files it opened. */
export function windowsRefusals(files: Files): Files {
  const openCounts = new Map<string, number>();
  const scanned = new Set<string>();
  let refusals = 0;

  function isOpen(path: string): boolean {
    return [...openCounts.keys()].some((file) => file === path || file.startsWith(`${path}${sep}`));
  }

  function refuseOpen(...paths: string[]): void {
    for (const path of paths.map((relative) => resolve(relative))) {
      if (isOpen(path)) {
        throw refusal('EPERM', `${path} is open`);
      }
    }
  }

  /** Once after each close. */
  function refuseScanned(path: string): void {
    if (scanned.delete(resolve(path))) {
      refusals += 1;
      throw refusal(TRANSIENT_CODES[refusals % TRANSIENT_CODES.length] ?? '', `${path} is being scanned`);
    }
  }

  function refuseName(path: string): void {
    if (/[<>:"|?*]|[. ]$/u.test(basename(path))) {
      throw refusal('EINVAL', `${path} is no name`);
    }
  }

  function opened(path: string, handle: FileHandle, isFlushable: boolean): FileHandle {
    openCounts.set(path, (openCounts.get(path) ?? 0) + 1);
    const flush = async (work: () => Promise<void>): Promise<void> => {
      if (!isFlushable) {
        throw refusal('EPERM', 'operation not permitted, fsync');
      }
      await work();
    };
    const replaced: Partial<Record<string | symbol, unknown>> = {
      sync: () => flush(() => handle.sync()),
      datasync: () => flush(() => handle.datasync()),
      async close() {
        await handle.close();
        const left = (openCounts.get(path) ?? 1) - 1;
        if (left > 0) {
          openCounts.set(path, left);
        } else {
          openCounts.delete(path);
          scanned.add(path);
        }
      },
    };
    return new Proxy(handle, {
      get(target, name) {
        const value: unknown = replaced[name] ?? Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  const refusing = {
    ...files,
    async open(path: string, flags: string | number = 'r', mode?: number) {
      refuseName(path);
      const handle = await files.open(path, flags, mode);
      const isWritable = typeof flags === 'number' ? (flags & WRITABLE) !== 0 : flags !== 'r';
      return opened(resolve(path), handle, isWritable && !(await handle.stat()).isDirectory());
    },
    async rename(from: string, to: string) {
      refuseName(to);
      refuseOpen(from, to);
      refuseScanned(from);
      refuseScanned(to);
      await files.rename(from, to);
    },
    async unlink(path: string) {
      refuseOpen(path);
      refuseScanned(path);
      await files.unlink(path);
    },
    async rm(path: string, options?: Parameters<Files['rm']>[1]) {
      refuseOpen(path);
      await files.rm(path, options);
    },
    async stat(path: string) {
      const stats = await files.stat(path);
      // All that Windows tells is whether a file is read-only.
      stats.mode = (stats.mode & constants.S_IFMT) | 0o666;
      return stats;
    },
    async chmod() {},
    async symlink(path: string) {
      throw refusal('EPERM', `${path} needs a privilege`);
    },
  };
  // The few signatures that the trail and its tests use.
  return refusing as unknown as Files;
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
