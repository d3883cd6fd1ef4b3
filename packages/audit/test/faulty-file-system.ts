import { nodeFileSystem, type AuditFile, type AuditFileSystem } from '../src/disk/file-system.ts';

/** The real file system with a counter and switches. */
export interface FaultyFileSystem extends AuditFileSystem {
  segmentSyncs: number;
  failNextSync: boolean;
  failNextWrite: boolean;
  /** Every write fails, in segments and elsewhere. */
  isFull: boolean;
  /** Sets `isFull` until a file is removed: the one that holds the reserve. */
  readonly fillUntilReserveIsReleased: () => void;
  failTruncate: boolean;
  /** Syncs per segment file after one of its syncs failed; must stay 0. */
  syncsAfterFailure: number;
}

export function faultyFileSystem(): FaultyFileSystem {
  let isReserved = false;
  const faulty: FaultyFileSystem = {
    ...nodeFileSystem,
    segmentSyncs: 0,
    failNextSync: false,
    failNextWrite: false,
    isFull: false,
    failTruncate: false,
    syncsAfterFailure: 0,
    fillUntilReserveIsReleased() {
      faulty.isFull = true;
      isReserved = true;
    },
    async remove(path) {
      await nodeFileSystem.remove(path);
      if (isReserved && path.endsWith('reserve')) {
        faulty.isFull = isReserved = false;
      }
    },
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      if (mode === 'read') {
        return file;
      }
      return path.endsWith('.jsonl') ? segment(file) : limited(file);
    },
  };

  function limited(file: AuditFile): AuditFile {
    const checked =
      (write: AuditFile['write']): AuditFile['write'] =>
      async (bytes, offset) => {
        if (faulty.isFull) {
          throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        }
        await write(bytes, offset);
      };
    return {
      ...file,
      write: checked((bytes, offset) => file.write(bytes, offset)),
      writeDurably: checked((bytes, offset) => file.writeDurably(bytes, offset)),
    };
  }

  function segment(unlimited: AuditFile): AuditFile {
    const file = limited(unlimited);
    let hasFailed = false;
    return {
      ...file,
      async writeDurably(bytes, offset) {
        faulty.segmentSyncs += 1;
        if (hasFailed) {
          faulty.syncsAfterFailure += 1;
        }
        if (faulty.failNextWrite) {
          faulty.failNextWrite = false;
          await file.write(bytes.subarray(0, bytes.length >> 1), offset);
          throw Object.assign(new Error('i/o error'), { code: 'EIO' });
        }
        if (!faulty.failNextSync) {
          return file.writeDurably(bytes, offset);
        }
        faulty.failNextSync = false;
        hasFailed = true;
        await file.write(bytes, offset);
        throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      },
      async truncate(sizeBytes) {
        if (faulty.failTruncate) {
          throw Object.assign(new Error('i/o error'), { code: 'EIO' });
        }
        await file.truncate(sizeBytes);
      },
    };
  }
  return faulty;
}
