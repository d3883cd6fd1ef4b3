import {
  isCheckpointSigned,
  isTombstoneSigned,
  parseCheckpoint,
  parseTombstone,
  type AuditCheckpoint,
  type Tombstone,
} from '../chain/checkpoint.ts';
import { Coverage } from '../chain/coverage.ts';
import {
  continues,
  EVENT_KIND,
  GENESIS,
  isTorn,
  scanLines,
  type ChainTip,
  type StoredLine,
  type StoredRecord,
} from '../chain/record.ts';
import type { PublicKeys } from '../chain/signer.ts';
import type { Cursor } from '../delivery/cursor.ts';
import { isOrigin, parseHeader, type SegmentHeader } from '../segments/segment-header.ts';
import { parseEventHead } from '../segments/stored-event.ts';
import type { TrailFinding, TrailVerification } from './finding.ts';

interface WalkOptions {
  readonly keys: PublicKeys | undefined;
  readonly anchors: readonly AuditCheckpoint[] | undefined;
  /** In milliseconds since the Unix epoch. */
  readonly seenAt: number;
  readonly cursors: readonly Cursor[];
}

type Code = TrailFinding['code'];
/** Makes a finding at the line that is looked at. */
type FindingHere = (code: Code) => TrailFinding;

/** A record that somebody says is in the trail. */
interface Sought {
  readonly writerId: string;
  readonly sequence: number;
  /** What it means that it is not. */
  readonly code: Code;
}

const MAX_FINDINGS = 100;

/** Follows a trail from line to line and notes where it does not hold. */
export class TrailWalk {
  readonly #options: WalkOptions;
  readonly #findings: TrailFinding[] = [];
  /** Records that others say are in the trail, by hash, as far as they were not seen. */
  readonly #sought: Map<string, Sought>;
  #tip: ChainTip | undefined;
  #coverage: Coverage | undefined;
  /** What the first segment follows, when it is not the first of the trail. */
  #missingBefore: { segment: number; tip: ChainTip; finding: TrailFinding } | undefined;
  #writerId: string | undefined;
  #retiredSequence = -1;
  #lastTime: number | undefined;
  #isDamaged = false;
  #segments = 0;
  #events = 0;
  #checkpoints = 0;
  #lastCheckpoint: AuditCheckpoint | undefined;
  #firstSequence = 0;
  #tornBytes = 0;

  constructor(options: WalkOptions) {
    const { anchors = [], cursors } = options;
    this.#options = options;
    this.#sought = new Map(cursors.map((cursor) => [cursor.hash, soughtAs('not_delivered', cursor)]));
    for (const anchor of anchors) {
      this.#sought.set(anchor.hash, soughtAs('missing_end', anchor));
    }
    this.#sought.delete(GENESIS.hash);
  }

  /** Takes the next segment, as far as it is durable. */
  segment(number: number, bytes: Buffer, isLast: boolean): void {
    this.#segments += 1;
    let line = 0;
    let endOffset = 0;
    let isAllNext = true;
    for (const stored of scanLines(bytes)) {
      // What is left of a commit that never became durable may have whole lines in it.
      if (isAllNext && isLast && !this.#isNext(stored)) {
        if (isTorn(bytes, stored.offset, isFramed(bytes))) {
          break;
        }
        isAllNext = false;
      }
      line += 1;
      this.#line(stored, (code) => this.#finding(code, number, line, stored.offset));
      ({ endOffset } = stored);
    }
    const rest = bytes.subarray(endOffset);
    if (isLast && rest.length > 0 && isTorn(bytes, endOffset, isFramed(bytes))) {
      this.#tornBytes = rest.length;
    } else if (rest.length > 0 || line === 0) {
      this.#report(this.#finding('damaged_record', number, line + 1, endOffset));
    }
  }

  /** Says what was found, once all segments were taken. */
  end(): TrailVerification {
    const { keys, seenAt } = this.#options;
    if (this.#missingBefore !== undefined) {
      this.#findings.unshift(this.#missingBefore.finding);
    }
    const here = (code: Code): TrailFinding => this.#finding(code, 0, 0, 0);
    if (this.#segments === 0) {
      this.#report(here('missing_trail'));
    }
    if (keys !== undefined && this.#coverage?.isOverdue(seenAt) === true) {
      this.#report(here('unsigned'));
    }
    if (!this.#hasAnchor()) {
      this.#report(here('bad_anchor'));
    }
    for (const code of new Set(this.#notFound())) {
      this.#report(here(code));
    }
    return {
      isIntact: this.#findings.length === 0,
      findings: this.#findings,
      writerId: this.#writerId,
      segments: this.#segments,
      events: this.#events,
      checkpoints: this.#checkpoints,
      lastCheckpoint: this.#lastCheckpoint,
      firstSequence: this.#firstSequence,
      lastSequence: this.#tip?.sequence ?? 0,
      unsignedEvents: this.#coverage?.uncoveredEvents ?? 0,
      tornBytes: this.#tornBytes,
    };
  }

  // A trail that is not there at all has no writer: whatever is sought is not found.
  #isOurs({ writerId }: { readonly writerId: string }): boolean {
    return this.#writerId === undefined || this.#writerId === writerId;
  }

  #hasAnchor(): boolean {
    const { keys, anchors } = this.#options;
    return (
      anchors === undefined ||
      anchors.some(
        (anchor) => this.#isOurs(anchor) && (keys === undefined || isCheckpointSigned(anchor, keys)),
      )
    );
  }

  // What was removed with a tombstone was there once.
  #notFound(): Code[] {
    return [...this.#sought.values()]
      .filter((sought) => this.#isOurs(sought) && sought.sequence > this.#retiredSequence)
      .map(({ code }) => code);
  }

  // A header may begin a chain.
  #isNext({ record, offset }: StoredLine): boolean {
    return (
      record !== undefined && (offset === 0 || (this.#tip !== undefined && continues(this.#tip, record)))
    );
  }

  #line({ record, offset }: StoredLine, finding: FindingHere): void {
    if (record === undefined) {
      // What follows damage cannot be linked; only the first record after it says so once more.
      if (!this.#isDamaged) {
        this.#report(finding('damaged_record'));
      }
      this.#isDamaged = true;
      return;
    }
    const header = offset === 0 ? parseHeader(record) : undefined;
    this.#writerId ??= header?.writerId;
    if (this.#tip === undefined && header !== undefined) {
      this.#begin(record, header, finding);
    } else if (header?.broken !== undefined && record.previousHash === GENESIS.hash) {
      this.#report(finding('broken_chain'));
      this.#endChain(finding);
    } else if (this.#tip === undefined || !(continues(this.#tip, record) || this.#isDamaged)) {
      this.#report(finding('broken_link'));
    }
    this.#isDamaged = false;
    this.#check(record, header, finding);
    this.#tip = { sequence: record.sequence, hash: record.hash };
  }

  #begin(record: StoredRecord, header: SegmentHeader, finding: FindingHere): void {
    const isBeginning =
      record.previousHash === GENESIS.hash && record.sequence === 0 && header.previous === undefined;
    if (header.broken !== undefined) {
      this.#report(finding('broken_chain'));
    } else if (!isBeginning) {
      this.#missingBefore = {
        segment: header.previous?.segment ?? 0,
        tip: { sequence: record.sequence, hash: record.previousHash },
        finding: finding('missing_segments'),
      };
    }
  }

  // No later checkpoint vouches for the end of a chain that was not gone on with.
  #endChain(finding: FindingHere): void {
    if (this.#options.keys !== undefined && this.#coverage?.isOverdue(this.#lastTime ?? 0) === true) {
      this.#report(finding('unsigned'));
    }
    this.#coverage = undefined;
  }

  #check(record: StoredRecord, header: SegmentHeader | undefined, finding: FindingHere): void {
    const { keys } = this.#options;
    const sequence = record.kind === EVENT_KIND ? record.sequence - 1 : record.sequence;
    this.#coverage ??= new Coverage({ sequence, hash: record.previousHash }, keys);
    this.#sought.delete(record.hash);
    let time: number | undefined;
    if (record.kind === EVENT_KIND) {
      ({ time } = parseEventHead(record));
      this.#lastTime = time;
      this.#events += 1;
      this.#firstSequence ||= record.sequence;
    }
    const isSigned = header && isOrigin(record, header, keys);
    const details = { time, cadence: header?.cadence, isOrigin: isSigned === true };
    const isBelieved = this.#coverage.add(record, details);
    if (!isBelieved || isSigned === false) {
      this.#report(finding('bad_signature'));
    }
    const checkpoint = parseCheckpoint(record);
    this.#checkpoints += checkpoint === undefined ? 0 : 1;
    this.#lastCheckpoint = (isBelieved ? checkpoint : undefined) ?? this.#lastCheckpoint;
    const tombstone = parseTombstone(record);
    if (tombstone !== undefined) {
      if (keys && !isTombstoneSigned(tombstone, keys)) {
        this.#report(finding('bad_signature'));
      } else {
        this.#bury(tombstone);
      }
    }
  }

  #bury({ segment, sequence, hash }: Tombstone): void {
    this.#retiredSequence = Math.max(this.#retiredSequence, sequence);
    const missing = this.#missingBefore;
    if (missing?.segment === segment && missing.tip.sequence === sequence && missing.tip.hash === hash) {
      this.#missingBefore = undefined;
    }
  }

  #finding(code: Code, segment: number, line: number, offset: number): TrailFinding {
    return { code, segment, line, offset, afterSequence: this.#tip?.sequence ?? 0 };
  }

  #report(finding: TrailFinding): void {
    if (this.#findings.length < MAX_FINDINGS) {
      this.#findings.push(finding);
    }
  }
}

function isFramed(bytes: Buffer): boolean {
  for (const { record, offset } of scanLines(bytes)) {
    if (record?.groupBytes !== undefined || (offset === 0 && parseHeader(record)?.isFramed === true)) {
      return true;
    }
  }
  return false;
}

function soughtAs(code: Code, { writerId, sequence }: Omit<Sought, 'code'>): Sought {
  return { writerId, sequence, code };
}
