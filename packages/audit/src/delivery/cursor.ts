import { z } from 'zod';

import { readIfPresent, replaceFile, type AuditFileSystem } from '../disk/file-system.ts';
import type { Logger } from '../logger.ts';

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
  const bytes = await readIfPresent(fileSystem, directory, cursorName(sink));
  if (bytes === undefined) {
    return undefined;
  }
  try {
    return cursorSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    // Collectors drop repeated events by id; skipping one could not be made good.
    logger.warn({ err: error, sink }, 'audit cursor unreadable, delivering from the start');
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
  const bytes = Buffer.from(`${JSON.stringify(cursor)}\n`);
  await replaceFile(fileSystem, directory, cursorName(sink), bytes);
}

function cursorName(sink: string): string {
  return `cursor-${sink}.json`;
}
