import {
  continues,
  EVENT_KIND,
  GENESIS,
  isTorn,
  scanLines,
  type ChainTip,
  type StoredRecord,
} from '../chain/record.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import { parseHeader, segmentPath, type OpenIntent, type SegmentHeader } from './segment-header.ts';
import { parseEventHead } from './stored-event.ts';

/** A record that is linked to the one before it, and where it ends. */
interface LinkedRecord {
  readonly record: StoredRecord;
  readonly endOffset: number;
  /** When an event was made, in milliseconds since the Unix epoch. */
  readonly time: number | undefined;
  readonly header: SegmentHeader | undefined;
}

/** A whole segment, verified from its first record on. */
export interface LoadedSegment {
  readonly number: number;
  readonly bytes: Buffer;
  /** How many of the bytes are durable: all of them unless the next segment says otherwise. */
  readonly limit: number;
  readonly header: SegmentHeader | undefined;
  /** What the first record follows. */
  readonly start: ChainTip;
  /** The records that are linked to the first, and the first itself. */
  readonly linked: readonly LinkedRecord[];
  /** The last of them, and where it ends. */
  readonly tip: ChainTip;
  readonly endOffset: number;
  /** Whether what follows `endOffset` is what is left of a commit that never became durable. */
  readonly isTorn: boolean;
  /** Including records after a damaged one. */
  readonly highestSequence: number;
  readonly opened: readonly OpenIntent[];
  readonly closed: readonly string[];
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
  return parseSegment(number, bytes, limit);
}

function parseSegment(number: number, bytes: Buffer, limit: number | undefined): LoadedSegment {
  const durable = bytes.subarray(0, limit);
  const opened: OpenIntent[] = [];
  const closed: { readonly id: string; readonly offset: number }[] = [];
  const linked: LinkedRecord[] = [];
  let header: SegmentHeader | undefined;
  let start: ChainTip | undefined;
  let tip: ChainTip | undefined;
  let isLinked = true;
  let isFramed = false;
  let highestSequence = 0;
  for (const { record, offset, endOffset } of scanLines(durable)) {
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
    isFramed ||= record.groupBytes !== undefined;
    highestSequence = Math.max(highestSequence, record.sequence);
    let time: number | undefined;
    if (record.kind === EVENT_KIND) {
      const head = parseEventHead(record);
      ({ time } = head);
      if (head.intentId === undefined) {
        opened.push({ id: head.id, segment: number, offset });
      } else {
        closed.push({ id: head.intentId, offset });
      }
    }
    if (isLinked) {
      tip = { sequence: record.sequence, hash: record.hash };
      linked.push({ record, endOffset, time, header: offset === 0 ? header : undefined });
    }
  }
  const endOffset = linked.at(-1)?.endOffset ?? 0;
  const isCut = isTorn(durable, endOffset, isFramed || header?.isFramed === true);
  // What is cut off was never there.
  const isKept = ({ offset }: { readonly offset: number }): boolean => !isCut || offset < endOffset;
  return {
    number,
    bytes,
    limit: durable.length,
    header,
    start: start ?? GENESIS,
    linked,
    tip: tip ?? GENESIS,
    endOffset,
    isTorn: isCut,
    highestSequence: isCut ? (tip?.sequence ?? 0) : highestSequence,
    opened: opened.filter(isKept),
    closed: closed.filter(isKept).map(({ id }) => id),
  };
}
