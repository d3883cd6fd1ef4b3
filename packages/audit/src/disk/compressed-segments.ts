import { basename } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';

import { readIfPresent, replaceFile, withFile, type AuditFile, type AuditFileSystem } from './file-system.ts';

// The lowest level is the fastest, and of these lines none makes less.
const PARAMETERS = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } };
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const SUFFIX = '.zst';
const NO_RECORD = `${'?'.repeat(4095)}\n`;
const SEGMENT = /\d{10}\.jsonl$/;

/** A file system on which closed segments may be compressed: read and removed under the names they had. */
export interface CompressingFileSystem extends AuditFileSystem {
  /**
   * Puts the first `sizeBytes` of a file in the place of it, compressed. After a crash the file is there as it was, or
   * compressed, or both.
   */
  readonly compress: (path: string, directory: string, sizeBytes: number) => Promise<void>;
}

/**
 * Makes compressed files look like the files they were, so that whoever reads segments need not know of it. Keeps the
 * one file in memory that was read last: a segment is read in pieces.
 */
export function withCompressedSegments(fileSystem: AuditFileSystem): CompressingFileSystem {
  let last: { readonly path: string; readonly bytes: Promise<Buffer> } | undefined;

  async function read(path: string): Promise<Buffer> {
    if (last?.path !== path) {
      last = { path, bytes: decompressed(fileSystem, `${path}${SUFFIX}`) };
    }
    const { bytes } = last;
    try {
      return await bytes;
    } catch (error) {
      last = undefined;
      throw error;
    }
  }

  return {
    ...fileSystem,
    async list(path) {
      const names = await fileSystem.list(path);
      return [...new Set(names.map((name) => (isCompressed(name) ? name.slice(0, -SUFFIX.length) : name)))];
    },
    async open(path, mode) {
      if (mode === 'create' || !SEGMENT.test(path)) {
        return fileSystem.open(path, mode);
      }
      try {
        // To update creates what is missing: an empty file in front of the compressed one.
        const file = await fileSystem.open(path, 'read');
        if (mode === 'read') {
          return file;
        }
        await file.close();
        return await fileSystem.open(path, mode);
      } catch (error) {
        if (!isMissing(error)) {
          throw error;
        }
        return readOnly(await ignoreMissing(read(path), error));
      }
    },
    async remove(path) {
      if (!SEGMENT.test(path)) {
        return fileSystem.remove(path);
      }
      const removed = await Promise.allSettled([
        fileSystem.remove(path),
        fileSystem.remove(`${path}${SUFFIX}`),
      ]);
      last = undefined;
      const [plain, compressed] = removed;
      // It has one of the two names, or both after a crash.
      if (plain.status === 'rejected' && (compressed.status === 'rejected' || !isMissing(plain.reason))) {
        throw plain.reason;
      }
    },
    async compress(path, directory, sizeBytes) {
      const bytes = await readIfPresent(fileSystem, directory, basename(path));
      if (bytes === undefined) {
        return;
      }
      if (bytes.length < sizeBytes) {
        throw new Error(`${path} has ${bytes.length} bytes and should have ${sizeBytes}`);
      }
      await pack(path, directory, bytes.subarray(0, sizeBytes));
    },
  };

  async function pack(path: string, directory: string, bytes: Buffer): Promise<void> {
    const packed = await compress(bytes, PARAMETERS);
    // Before the original goes: what cannot be read back would be lost.
    if (!(await decompress(packed)).equals(bytes)) {
      throw new Error(`${path} cannot be read back once it is compressed`);
    }
    await replaceFile(fileSystem, directory, `${basename(path)}${SUFFIX}`, packed);
    await fileSystem.remove(path);
    await fileSystem.syncDirectory(directory);
  }
}

function isCompressed(name: string): boolean {
  return name.endsWith(SUFFIX) && SEGMENT.test(name.slice(0, -SUFFIX.length));
}

async function decompressed(fileSystem: AuditFileSystem, path: string): Promise<Buffer> {
  const packed = await withFile(fileSystem, path, 'read', async (file) => file.read(0, await file.size()));
  try {
    return await decompress(packed);
  } catch {
    return Buffer.alloc(0);
  }
}

function readOnly(bytes: Buffer): AuditFile {
  const refuse = (): Promise<never> => Promise.reject(new Error('a compressed segment is not written to'));
  return {
    write: refuse,
    writeDurably: refuse,
    truncate: refuse,
    datasync: async () => {},
    async read(offset, length) {
      // One that is damaged is a segment without a good record, and as long as it was: what is behind it is read.
      return bytes.length === 0 ? Buffer.alloc(length, NO_RECORD) : bytes.subarray(offset, offset + length);
    },
    size: async () => bytes.length || NO_RECORD.length,
    close: async () => {},
  };
}

async function ignoreMissing<T>(work: Promise<T>, missing: unknown): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isMissing(error) ? missing : error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
