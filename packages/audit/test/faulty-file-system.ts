import { nodeFileSystem, type AuditFile, type AuditFileSystem } from '../src/file-system.ts';

/** The real file system with a counter and switches. */
export interface FaultyFileSystem extends AuditFileSystem {
  segmentSyncs: number;
  failNextSync: boolean;
  failNextWrite: boolean;
  failTruncate: boolean;
  /** Syncs per segment file after one of its syncs failed; must stay 0. */
  syncsAfterFailure: number;
}

export function faultyFileSystem(): FaultyFileSystem {
  const faulty: FaultyFileSystem = {
    ...nodeFileSystem,
    segmentSyncs: 0,
    failNextSync: false,
    failNextWrite: false,
    failTruncate: false,
    syncsAfterFailure: 0,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return path.endsWith('.jsonl') && mode === 'create' ? wrapped(file) : file;
    },
  };

  function wrapped(file: AuditFile): AuditFile {
    let hasFailed = false;
    return {
      ...file,
      async write(bytes, offset) {
        if (!faulty.failNextWrite) return file.write(bytes, offset);
        faulty.failNextWrite = false;
        await file.write(bytes.subarray(0, bytes.length >> 1), offset);
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
      async datasync() {
        faulty.segmentSyncs += 1;
        if (hasFailed) faulty.syncsAfterFailure += 1;
        if (!faulty.failNextSync) return file.datasync();
        faulty.failNextSync = false;
        hasFailed = true;
        throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      },
      async truncate(sizeBytes) {
        if (faulty.failTruncate) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
        await file.truncate(sizeBytes);
      },
    };
  }
  return faulty;
}
