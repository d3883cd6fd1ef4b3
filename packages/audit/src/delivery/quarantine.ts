import { join } from 'node:path';

import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';

/** Appends an event that a sink does not take to `quarantine-<sink>.jsonl`; durable when it resolves. */
export async function quarantine(
  directory: string,
  fileSystem: AuditFileSystem,
  sink: string,
  event: AuditEvent,
): Promise<void> {
  const path = join(directory, `quarantine-${sink}.jsonl`);
  await withFile(fileSystem, path, 'update', async (file) => {
    await file.write(Buffer.from(`${safeJson(event)}\n`), await file.size());
    await file.datasync();
  });
  await fileSystem.syncDirectory(directory);
}
