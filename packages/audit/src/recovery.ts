import { randomUUID } from 'node:crypto';

import { AuditError } from './errors.ts';
import type { AuditEvent, AuditIntentEvent } from './event.ts';
import { withFile, type AuditFileSystem } from './file-system.ts';
import type { Logger } from './logger.ts';
import { firstRecord, GENESIS, scanRecords, type ChainTip, type StoredRecord } from './record.ts';
import { segmentNumbers, segmentPath, type Segment } from './segments.ts';

/** What an earlier run left behind, verified. */
export interface RecoveredLog {
  readonly writerId: string;
  readonly segments: readonly Segment[];
  readonly tip: ChainTip;
  /** Intents without an outcome, oldest first. */
  readonly openIntents: readonly AuditIntentEvent[];
}

/** How far a sink got: proof that the chain once reached this record. */
export interface Delivered {
  readonly writerId: string;
  readonly sequence: number;
}

const MAX_LINE_BYTES = 1024 * 1024;

/**
 * Reads and verifies the whole chain of a directory, and repairs its end. A crash may leave a torn last
 * record, and a failed write may leave refused records at the end of any segment; both are cut off and kept
 * in a `.torn` file.
 * @throws AuditError `damaged` when the chain breaks anywhere else
 */
export async function recoverLog(
  directory: string,
  fileSystem: AuditFileSystem,
  logger: Logger,
  delivered: readonly Delivered[],
): Promise<RecoveredLog> {
  const numbers = segmentNumbers(await fileSystem.list(directory));
  const openIntents = new Map<string, AuditIntentEvent>();
  const segments: Segment[] = [];
  let writerId: string | undefined;
  let tip = GENESIS;

  for (const [index, number] of numbers.entries()) {
    const path = segmentPath(directory, number);
    const next = await firstOfLaterSegments(directory, fileSystem, numbers.slice(index + 1));
    const bytes = await withFile(fileSystem, path, 'read', async (file) => file.read(0, await file.size()));
    let sizeBytes = 0;
    for (const { record, endOffset } of scanRecords(bytes, tip)) {
      if (record.sequence === next?.sequence) break;
      tip = record;
      sizeBytes = endOffset;
      if (record.kind !== 'event') continue;
      const event = parseEvent(record);
      writerId ??= event.writerId;
      if (event.stage === 'intent') openIntents.set(event.id, event);
      else openIntents.delete(event.intentId);
    }
    if (next !== undefined && (next.sequence !== tip.sequence + 1 || next.previousHash !== tip.hash))
      throw new AuditError('damaged', `The chain breaks in ${path} after record ${tip.sequence}`);
    const isLast = index === numbers.length - 1;
    if (isLast) refuseToCutDelivered(delivered, writerId, tip, path);
    if (isLast || sizeBytes < bytes.length) await settle(fileSystem, path, bytes, sizeBytes, logger);
    segments.push({ number, sizeBytes });
  }
  await fileSystem.syncDirectory(directory);
  return {
    writerId: writerId ?? randomUUID(),
    segments,
    tip: { sequence: tip.sequence, hash: tip.hash },
    openIntents: [...openIntents.values()],
  };
}

/** Reads the event in a record whose hash was checked. */
export function parseEvent(record: StoredRecord): AuditEvent {
  // The hash shows that these are the bytes this package wrote; a newer version may have added fields.
  return JSON.parse(record.payload.toString('utf8')) as AuditEvent;
}

// Only what was never acknowledged can be torn. A record that a sink already has was damaged later.
function refuseToCutDelivered(
  delivered: readonly Delivered[],
  writerId: string | undefined,
  tip: ChainTip,
  path: string,
): void {
  const beyond = delivered.find((mark) => mark.writerId === writerId && mark.sequence > tip.sequence);
  if (beyond !== undefined)
    throw new AuditError(
      'damaged',
      `${path} ends at record ${tip.sequence}, but ${beyond.sequence} was delivered`,
    );
}

// The record that says where the segments before it really end.
async function firstOfLaterSegments(
  directory: string,
  fileSystem: AuditFileSystem,
  numbers: readonly number[],
): Promise<StoredRecord | undefined> {
  for (const number of numbers) {
    const path = segmentPath(directory, number);
    const record = await withFile(fileSystem, path, 'read', async (file) =>
      firstRecord(await file.read(0, MAX_LINE_BYTES)),
    );
    if (record !== undefined) return record;
  }
  return undefined;
}

// Makes the good part durable (it may only be in the page cache after a kill) once the rest is set aside.
async function settle(
  fileSystem: AuditFileSystem,
  path: string,
  bytes: Buffer,
  sizeBytes: number,
  logger: Logger,
): Promise<void> {
  const torn = bytes.subarray(sizeBytes);
  if (torn.length > 0) {
    await withFile(fileSystem, `${path}.torn`, 'update', async (file) => {
      await file.write(torn, await file.size());
      await file.datasync();
    });
    logger.warn({ path, tornBytes: torn.length }, 'audit segment repaired');
  }
  await withFile(fileSystem, path, 'update', async (file) => {
    if (torn.length > 0) await file.truncate(sizeBytes);
    await file.datasync();
  });
}
