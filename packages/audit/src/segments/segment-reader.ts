import { CHECKPOINT_KIND } from '../chain/checkpoint.ts';
import { continues, EVENT_KIND, GENESIS, isTorn, scanLines, type ChainTip } from '../chain/record.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import { parseHeader, segmentPath, type OpenIntent, type SegmentHeader } from './segment-header.ts';
import { parseEventHead } from './stored-event.ts';

/** A whole segment, verified from its first record on. */
export interface LoadedSegment {
  readonly number: number;
  readonly bytes: Buffer;
  /** How many of the bytes are durable: all of them unless the next segment says otherwise. */
  readonly limit: number;
  readonly header: SegmentHeader | undefined;
  /** What the first record follows. */
  readonly start: ChainTip;
  /** The last record that is linked to the first, and where it ends. */
  readonly tip: ChainTip;
  readonly endOffset: number;
  /** Whether what follows `endOffset` is the start of a record that was never finished. */
  readonly isTorn: boolean;
  /** Including records after a damaged one. */
  readonly highestSequence: number;
  readonly opened: readonly OpenIntent[];
  readonly closed: readonly string[];
  readonly eventsSinceCheckpoint: number;
}

/** Reads a segment, or the first `limit` bytes of it, and verifies how far its records are linked. */
export async function loadSegment(
  directory: string,
  fileSystem: AuditFileSystem,
  number: number,
  limit?: number,
): Promise<LoadedSegment> {
  const path = segmentPath(directory, number);
  const bytes = await withFile(fileSystem, path, 'read', async (file) => file.read(0, await file.size()));
  const durable = bytes.subarray(0, limit);
  const opened: OpenIntent[] = [];
  const closed: string[] = [];
  let header: SegmentHeader | undefined;
  let start: ChainTip | undefined;
  let tip: ChainTip | undefined;
  let endOffset = 0;
  let isLinked = true;
  let highestSequence = 0;
  let eventsSinceCheckpoint = 0;
  for (const { record, offset, endOffset: end } of scanLines(durable)) {
    if (offset === 0) {
      header = parseHeader(record);
      if (record !== undefined && header !== undefined) {
        start = tip = { sequence: record.sequence, hash: record.previousHash };
      }
    }
    isLinked &&= record !== undefined && tip !== undefined && continues(tip, record);
    // Good records behind a damaged one still tell which intents are closed and which numbers are taken.
    if (record === undefined) {
      continue;
    }
    highestSequence = Math.max(highestSequence, record.sequence);
    if (record.kind === EVENT_KIND) {
      const { id, intentId } = parseEventHead(record);
      if (intentId === undefined) {
        opened.push({ id, segment: number, offset });
      } else {
        closed.push(intentId);
      }
      eventsSinceCheckpoint += 1;
    } else if (record.kind === CHECKPOINT_KIND) {
      eventsSinceCheckpoint = 0;
    }
    if (!isLinked) {
      continue;
    }
    tip = { sequence: record.sequence, hash: record.hash };
    endOffset = end;
  }
  return {
    number,
    bytes,
    limit: durable.length,
    header,
    start: start ?? GENESIS,
    tip: tip ?? GENESIS,
    endOffset,
    isTorn: isTorn(durable.subarray(endOffset)),
    highestSequence,
    opened,
    closed,
    eventsSinceCheckpoint,
  };
}
