import { join } from 'node:path';

import { withFile, type AuditFileSystem } from './file-system.ts';

// Room for a large group, so that a disk with a few free bytes does not pass.
const PROBE_BYTES = 256 * 1024;

/** Writes, syncs and removes a scratch file; rejects when the disk does not take it. */
export async function probeDisk(directory: string, fileSystem: AuditFileSystem): Promise<void> {
  const path = join(directory, 'probe.tmp');
  try {
    await withFile(fileSystem, path, 'update', async (file) => {
      await file.write(Buffer.alloc(PROBE_BYTES), 0);
      await file.datasync();
    });
  } catch (error) {
    // It may not be there to be removed; why it could not be written is what counts.
    await fileSystem.remove(path).catch(() => {});
    throw error;
  }
  await fileSystem.remove(path);
}
