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
  /** Only on the last record of a commit: how many bytes of that commit stand before this line. */
  readonly groupBytes: number | undefined;
}

/** The tip of a chain without records. */
export const GENESIS: ChainTip = { sequence: 0, hash: '0'.repeat(64) };

const HEAD =
  /^\{"seq":(0|[1-9]\d{0,14}),"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})",(?:"group":(0|[1-9]\d{0,14}),)?"([a-z]{1,32})":(?=\{)/;
const HEAD_MAX_BYTES = 256;
const NEWLINE = 0x0a;
const CLOSING_BRACE = 0x7d;
const SECTOR_BYTES = 512;

/** The kind of the records that take a number. */
export const EVENT_KIND = 'event';

/**
 * Encodes the record after `tip` as one line, newline included, and returns the new tip. `groupBytes` marks the last
 * record of a commit.
 */
export function encodeRecord(
  tip: ChainTip,
  kind: string,
  payload: string,
  groupBytes?: number,
): { readonly line: string; readonly tip: ChainTip } {
  const sequence = numberAfter(tip, kind);
  const hash = hashOnce('sha256', hashedPrefix(sequence, tip.hash, kind, groupBytes) + payload);
  const mark = groupBytes === undefined ? '' : `"group":${groupBytes},`;
  const line = `{"seq":${sequence},"prev":"${tip.hash}","hash":"${hash}",${mark}"${kind}":${payload}}\n`;
  return { line, tip: { sequence, hash } };
}

/** Decodes one line without its newline. Anything that is not exactly what was written is `undefined`. */
export function decodeRecord(line: Buffer): StoredRecord | undefined {
  const head = HEAD.exec(line.toString('latin1', 0, HEAD_MAX_BYTES));
  if (head === null || line.at(-1) !== CLOSING_BRACE) {
    return undefined;
  }
  const [matched, number, previousHash = '', hash = '', group, kind = ''] = head;
  const sequence = Number(number);
  const groupBytes = group === undefined ? undefined : Number(group);
  const payload = line.subarray(matched.length, -1);
  // Over the stored bytes, not over decoded text: two damaged byte strings can decode to the same text.
  const actual = createHash('sha256')
    .update(hashedPrefix(sequence, previousHash, kind, groupBytes))
    .update(payload)
    .digest('hex');
  return actual === hash ? { sequence, previousHash, hash, kind, payload, groupBytes } : undefined;
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
 * Whether what follows the last linked record, which ends at `endOffset`, is a commit that never became durable: a
 * write that was cut short, or one of which the disk kept some pages and left the others zeros. It belongs to nobody,
 * for a commit is acknowledged only once all of it is on the disk. Anything else was changed after it was written.
 */
export function isTorn(bytes: Buffer, endOffset: number, isFramed: boolean): boolean {
  const rest = bytes.subarray(endOffset);
  if (!rest.includes(NEWLINE)) {
    return decodeRecord(rest.subarray(0, -1)) === undefined;
  }
  // Older trails do not say where a commit ends, so a whole line may be one that was acknowledged.
  return isFramed && isUnfinishedGroup(rest, endOffset);
}

function isUnfinishedGroup(rest: Buffer, startOffset: number): boolean {
  let isHoled = false;
  let isEnded = false;
  let readTo = 0;
  for (const { record, offset, endOffset } of scanLines(rest)) {
    readTo = endOffset;
    const isHole = record === undefined && hasHole(rest.subarray(offset, endOffset), startOffset + offset);
    // A commit begins when the one before it is durable: a mark that begins behind the hole proves what is missing.
    const isLater = record?.groupBytes !== undefined && offset - record.groupBytes > 0;
    if (isEnded || isLater || (record === undefined && !isHole)) {
      return false;
    }
    isHoled ||= isHole;
    isEnded = record?.groupBytes !== undefined;
  }
  const remainder = rest.subarray(readTo);
  isHoled ||= remainder.includes(0);
  return isHoled && (remainder.length === 0 || !isEnded || isZeros(remainder));
}

// JSON has no NUL: what begins with one was never written. A disk writes whole sectors, or nothing of one.
function hasHole(line: Buffer, offset: number): boolean {
  const start = line.indexOf(0);
  return start === 0 || (start > 0 && (offset + start) % SECTOR_BYTES === 0);
}

function isZeros(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
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

function hashedPrefix(
  sequence: number,
  previousHash: string,
  kind: string,
  groupBytes: number | undefined,
): string {
  // A payload begins with a brace, so that a number before it can only be the mark.
  return `${sequence}:${previousHash}:${kind}:${groupBytes === undefined ? '' : `${groupBytes}:`}`;
}
