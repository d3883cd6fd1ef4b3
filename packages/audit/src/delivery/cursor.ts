import { z } from 'zod';

import { GENESIS, type LogPosition } from '../chain/record.ts';
import { readIfPresent, replaceFile, type AuditFileSystem } from '../disk/file-system.ts';
import type { Logger } from '../logger.ts';
import { parseJson } from '../parse-json.ts';
import type { AuditSink } from './sink.ts';

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
    return cursorSchema.parse(parseJson(bytes.toString('utf8')));
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

/** Where a delivery goes on: where the cursor is, or at the first segment when it belongs to another chain. */
export function startPosition(
  options: {
    readonly cursor: Cursor | undefined;
    readonly writerId: string;
    readonly sink: Pick<AuditSink, 'name'>;
    readonly logger: Logger;
  },
  firstSegment = 0,
): LogPosition {
  const { cursor, writerId, sink, logger } = options;
  if (cursor?.writerId === writerId) {
    const { segment, offset, sequence, hash } = cursor;
    return { segment, offset, sequence, hash };
  }
  if (cursor !== undefined) {
    logger.warn({ sink: sink.name }, 'audit cursor belongs to another trail, delivering from the start');
  }
  return { segment: firstSegment, offset: 0, ...GENESIS };
}

function cursorName(sink: string): string {
  return `cursor-${sink}.json`;
}
