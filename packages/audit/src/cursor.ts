import { join } from 'node:path';

import { z } from 'zod';

import { withFile, type AuditFileSystem } from './file-system.ts';
import type { Logger } from './logger.ts';

const cursorSchema = z.strictObject({
  version: z.literal(1),
  writerId: z.uuid(),
  segment: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  sequence: z.int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});

/** How far a sink got in the chain of one writer: everything up to `sequence` is delivered. */
export type Cursor = z.infer<typeof cursorSchema>;

/** Reads the cursor of a sink. A missing or unreadable one means: deliver from the start. */
export async function readCursor(
  directory: string,
  fileSystem: AuditFileSystem,
  sink: string,
  logger: Logger,
): Promise<Cursor | undefined> {
  const path = cursorPath(directory, sink);
  let text: string;
  try {
    text = await withFile(fileSystem, path, 'read', async (file) =>
      (await file.read(0, await file.size())).toString('utf8'),
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return cursorSchema.parse(JSON.parse(text));
  } catch (error) {
    // Collectors drop repeated events by id; skipping one could not be made good.
    logger.warn({ error, sink }, 'audit cursor unreadable, delivering from the start');
    return undefined;
  }
}

/** Replaces the cursor of a sink; durable when it resolves. */
export async function writeCursor(
  directory: string,
  fileSystem: AuditFileSystem,
  sink: string,
  cursor: Cursor,
): Promise<void> {
  const path = cursorPath(directory, sink);
  await withFile(fileSystem, `${path}.tmp`, 'update', async (file) => {
    await file.truncate(0);
    await file.write(Buffer.from(`${JSON.stringify(cursor)}\n`), 0);
    await file.datasync();
  });
  await fileSystem.rename(`${path}.tmp`, path);
  await fileSystem.syncDirectory(directory);
}

function cursorPath(directory: string, sink: string): string {
  return join(directory, `cursor-${sink}.json`);
}
