import { createHash, hash as hashOnce } from 'node:crypto';

/** Where a chain stands: the number and hash of its last record. */
export interface ChainTip {
  readonly sequence: number;
  readonly hash: string;
}

/** A point between two records of the log: `offset` bytes into `segment`, right after record `sequence`. */
export interface LogPosition extends ChainTip {
  readonly segment: number;
  readonly offset: number;
}

/**
 * One stored line, its hash checked. An event takes the next number; every other kind (`segment`, `checkpoint`,
 * `tombstone`) is about the records before it and repeats the number of the last event, so that the events of
 * a chain are numbered without gaps. Readers skip the kinds they do not know.
 */
export interface StoredRecord extends ChainTip {
  readonly previousHash: string;
  readonly kind: string;
  readonly payload: Buffer;
}

/** The tip of a chain without records. */
export const GENESIS: ChainTip = { sequence: 0, hash: '0'.repeat(64) };

const HEAD =
  /^\{"seq":(0|[1-9]\d{0,14}),"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})","([a-z]{1,32})":(?=\{)/;
const HEAD_MAX_BYTES = 256;
const NEWLINE = 0x0a;
const CLOSING_BRACE = 0x7d;

/** The kind of the records that take a number. */
export const EVENT_KIND = 'event';

/** Encodes the record after `tip` as one line, newline included, and returns the new tip. */
export function encodeRecord(
  tip: ChainTip,
  kind: string,
  payload: string,
): { readonly line: string; readonly tip: ChainTip } {
  const sequence = numberAfter(tip, kind);
  const hash = hashOnce('sha256', hashedPrefix(sequence, tip.hash, kind) + payload);
  const line = `{"seq":${sequence},"prev":"${tip.hash}","hash":"${hash}","${kind}":${payload}}\n`;
  return { line, tip: { sequence, hash } };
}

/** Decodes one line without its newline. Anything that is not exactly what was written is `undefined`. */
export function decodeRecord(line: Buffer): StoredRecord | undefined {
  const head = HEAD.exec(line.toString('latin1', 0, HEAD_MAX_BYTES));
  if (head === null || line.at(-1) !== CLOSING_BRACE) {
    return undefined;
  }
  const [matched, number, previousHash = '', hash = '', kind = ''] = head;
  const sequence = Number(number);
  const payload = line.subarray(matched.length, -1);
  // Over the stored bytes, not over decoded text: two damaged byte strings can decode to the same text.
  const actual = createHash('sha256')
    .update(hashedPrefix(sequence, previousHash, kind))
    .update(payload)
    .digest('hex');
  return actual === hash ? { sequence, previousHash, hash, kind, payload } : undefined;
}

/** One line that ends in a newline; `record` is `undefined` when it is not exactly what was written. */
export interface StoredLine {
  readonly record: StoredRecord | undefined;
  readonly offset: number;
  readonly endOffset: number;
}

/** Yields the lines in `bytes`, damaged ones included, and stops where no newline follows. */
export function* scanLines(bytes: Buffer): Generator<StoredLine> {
  for (let offset = 0; ;) {
    const newline = bytes.indexOf(NEWLINE, offset);
    if (newline === -1) {
      return;
    }
    yield { record: decodeRecord(bytes.subarray(offset, newline)), offset, endOffset: newline + 1 };
    offset = newline + 1;
  }
}

/**
 * Yields the records in `bytes` that continue the chain from `tip`, each with the offset right after it,
 * and stops before the first byte that does not belong to one.
 */
export function* scanRecords(
  bytes: Buffer,
  tip: ChainTip,
): Generator<StoredLine & { readonly record: StoredRecord }> {
  let last = tip;
  for (const { record, offset, endOffset } of scanLines(bytes)) {
    if (record === undefined || !continues(last, record)) {
      return;
    }
    last = record;
    yield { record, offset, endOffset };
  }
}

/**
 * Whether `bytes`, found where a record should be, are the start of one that was being written: a write that
 * was cut short, or whose end is still zeros, ends no line. Anything else was changed after it was written.
 */
export function isTorn(bytes: Buffer): boolean {
  return !bytes.includes(NEWLINE) && decodeRecord(bytes.subarray(0, -1)) === undefined;
}

/** Decodes the first line of `bytes`, wherever in its chain it stands. */
export function firstRecord(bytes: Buffer): StoredRecord | undefined {
  const newline = bytes.indexOf(NEWLINE);
  return newline === -1 ? undefined : decodeRecord(bytes.subarray(0, newline));
}

/** Whether `record` is the one that comes right after `tip`. */
export function continues(tip: ChainTip, record: StoredRecord): boolean {
  return record.sequence === numberAfter(tip, record.kind) && record.previousHash === tip.hash;
}

function numberAfter(tip: ChainTip, kind: string): number {
  return kind === EVENT_KIND ? tip.sequence + 1 : tip.sequence;
}

function hashedPrefix(sequence: number, previousHash: string, kind: string): string {
  return `${sequence}:${previousHash}:${kind}:`;
}
