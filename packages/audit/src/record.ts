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

/** One stored line, its hash checked. `kind` is `event`; readers skip the kinds they do not know. */
export interface StoredRecord extends ChainTip {
  readonly previousHash: string;
  readonly kind: string;
  readonly payload: Buffer;
}

/** The tip of a chain without records. */
export const GENESIS: ChainTip = { sequence: 0, hash: '0'.repeat(64) };

const HEAD =
  /^\{"seq":([1-9]\d{0,14}),"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})","([a-z]{1,32})":(?=\{)/;
const HEAD_MAX_BYTES = 256;
const NEWLINE = 0x0a;
const CLOSING_BRACE = 0x7d;

/** Encodes the record after `tip` as one line, newline included, and returns the new tip. */
export function encodeRecord(tip: ChainTip, kind: string, payload: string): { line: string; tip: ChainTip } {
  const sequence = tip.sequence + 1;
  const hash = hashOnce('sha256', hashedPrefix(sequence, tip.hash, kind) + payload);
  const line = `{"seq":${sequence},"prev":"${tip.hash}","hash":"${hash}","${kind}":${payload}}\n`;
  return { line, tip: { sequence, hash } };
}

/** Decodes one line without its newline. Anything that is not exactly what was written is `undefined`. */
export function decodeRecord(line: Buffer): StoredRecord | undefined {
  const head = HEAD.exec(line.toString('latin1', 0, HEAD_MAX_BYTES));
  if (head === null || line.at(-1) !== CLOSING_BRACE) return undefined;
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

/**
 * Yields the records in `bytes` that continue the chain from `tip`, each with the offset right after it,
 * and stops before the first byte that does not belong to one.
 */
export function* scanRecords(
  bytes: Buffer,
  tip: ChainTip,
): Generator<{ record: StoredRecord; endOffset: number }> {
  let start = 0;
  let last = tip;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, start);
    if (newline === -1) return;
    const record = decodeRecord(bytes.subarray(start, newline));
    if (record === undefined || !continues(last, record)) return;
    start = newline + 1;
    last = record;
    yield { record, endOffset: start };
  }
}

/** Decodes the first line of `bytes`, wherever in its chain it stands. */
export function firstRecord(bytes: Buffer): StoredRecord | undefined {
  const newline = bytes.indexOf(NEWLINE);
  return newline === -1 ? undefined : decodeRecord(bytes.subarray(0, newline));
}

/** Whether `record` is the one that comes right after `tip`. */
export function continues(tip: ChainTip, record: StoredRecord): boolean {
  return record.sequence === tip.sequence + 1 && record.previousHash === tip.hash;
}

function hashedPrefix(sequence: number, previousHash: string, kind: string): string {
  return `${sequence}:${previousHash}:${kind}:`;
}
