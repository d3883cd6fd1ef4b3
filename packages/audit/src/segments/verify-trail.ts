import type { KeyObject } from 'node:crypto';

import {
  isCheckpointSigned,
  isTombstoneSigned,
  parseCheckpoint,
  parseTombstone,
  type AuditCheckpoint,
  type Tombstone,
} from '../chain/checkpoint.ts';
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
import { keyIdOf } from '../chain/signing.ts';
import { checkPath } from '../disk/check-path.ts';
import { withFile, nodeFileSystem, type AuditFileSystem } from '../disk/file-system.ts';
import {
  parseHeader,
  readHeader,
  segmentNumbers,
  segmentPath,
  type SegmentHeader,
} from './segment-header.ts';

/** What to verify, and against what. */
export interface VerifyTrailOptions {
  /** The directory of a trail, or a copy of its segments. Nothing in it is changed; a writer may go on. */
  readonly directory: string;
  /** The public ed25519 keys of the checkpoints. @default no signature is checked, only the chain */
  readonly publicKey?: KeyObject | readonly KeyObject[] | undefined;
  /** The last checkpoint that somebody else has, such as the collector: shows whether the end was cut off. */
  readonly anchor?: AuditCheckpoint | undefined;
  /** File operations. @default the machine's */
  readonly fileSystem?: AuditFileSystem | undefined;
}

/** @throws {TypeError} when there is no directory */
function resolveVerifyTrailOptions(options: VerifyTrailOptions) {
  const { directory, publicKey, anchor, fileSystem = nodeFileSystem } = options;
  checkPath('directory', directory);
  const given = publicKey === undefined ? undefined : [publicKey].flat();
  const keys = given && new Map(given.map((key) => [keyIdOf(key), key]));
  return { directory, keys, anchor, fileSystem };
}

/** What is wrong with a trail, and where. */
export interface TrailFinding {
  /**
   * - `damaged_record`: the bytes of a record are not what was written.
   * - `broken_link`: a record does not follow the one before it: something was removed, added or moved.
   * - `broken_chain`: the writer met damage, kept it, and began a new chain here.
   * - `bad_signature`: a checkpoint or tombstone was not signed with a given key, or not for this chain.
   * - `missing_segments`: the trail does not begin at its beginning, and no tombstone says why.
   * - `missing_end`: the anchor is not in the trail.
   */
  readonly code:
    | 'damaged_record'
    | 'broken_link'
    | 'broken_chain'
    | 'bad_signature'
    | 'missing_segments'
    | 'missing_end';
  /** Number of the segment, of the line in it from 1, and of the byte at which that line starts. */
  readonly segment: number;
  readonly line: number;
  readonly offset: number;
  /** The sequence of the last event before it. */
  readonly afterSequence: number;
}

/** What a verification found. */
export interface TrailVerification {
  /** Whether nothing was found. */
  readonly isIntact: boolean;
  /** In the order of the trail; the first one is the first broken record. At most 100. */
  readonly findings: readonly TrailFinding[];
  readonly segments: number;
  readonly events: number;
  readonly checkpoints: number;
  /** 0 for a trail without events. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Events after the last checkpoint: linked, but nobody vouches for them yet. */
  readonly unsignedEvents: number;
  /** Bytes at the end of the last segment that are the start of a record: a write under way, or one cut short. */
  readonly tornBytes: number;
}

const MAX_FINDINGS = 100;

/**
 * Verifies every record of a trail, offline. Reads one segment at a time.
 * @throws {TypeError} when there is no directory
 */
export async function verifyTrail(options: VerifyTrailOptions): Promise<TrailVerification> {
  const { directory, keys, anchor, fileSystem } = resolveVerifyTrailOptions(options);
  const numbers = segmentNumbers(await fileSystem.list(directory));
  const walk = new Walk(keys, anchor);
  for (const [index, number] of numbers.entries()) {
    const next = numbers[index + 1];
    const linked = next === undefined ? undefined : (await readHeader(directory, fileSystem, next))?.header;
    const limit = linked?.previous?.segment === number ? linked.previous.sizeBytes : undefined;
    const bytes = await withFile(fileSystem, segmentPath(directory, number), 'read', async (file) =>
      file.read(0, limit ?? (await file.size())),
    );
    walk.segment(number, bytes, next === undefined);
  }
  return walk.end();
}

/** Follows the chain from line to line and notes where it does not hold. */
class Walk {
  readonly #keys: ReadonlyMap<string, KeyObject> | undefined;
  readonly #anchor: AuditCheckpoint | undefined;
  readonly #findings: TrailFinding[] = [];
  #tip: ChainTip | undefined;
  /** What the first segment follows, when it is not the first of the trail. */
  #missingBefore: { segment: number; tip: ChainTip; finding: TrailFinding } | undefined;
  #isAnchored = false;
  #isDamaged = false;
  #segments = 0;
  #events = 0;
  #checkpoints = 0;
  #firstSequence = 0;
  #unsignedEvents = 0;
  #tornBytes = 0;

  constructor(keys: ReadonlyMap<string, KeyObject> | undefined, anchor: AuditCheckpoint | undefined) {
    this.#keys = keys;
    this.#anchor = anchor;
  }

  segment(number: number, bytes: Buffer, isLast: boolean): void {
    this.#segments += 1;
    let line = 0;
    let endOffset = 0;
    for (const stored of scanLines(bytes)) {
      line += 1;
      this.#line(stored, (code) => this.#finding(code, number, line, stored.offset));
      ({ endOffset } = stored);
    }
    const rest = bytes.subarray(endOffset);
    if (isLast && isTorn(rest)) {
      this.#tornBytes = rest.length;
    } else if (rest.length > 0 || line === 0) {
      this.#report(this.#finding('damaged_record', number, line + 1, endOffset));
    }
  }

  end(): TrailVerification {
    if (this.#missingBefore !== undefined) {
      this.#findings.unshift(this.#missingBefore.finding);
    }
    if (this.#anchor !== undefined && !this.#isAnchored) {
      this.#report(this.#finding('missing_end', 0, 0, 0));
    }
    return {
      isIntact: this.#findings.length === 0,
      findings: this.#findings,
      segments: this.#segments,
      events: this.#events,
      checkpoints: this.#checkpoints,
      firstSequence: this.#firstSequence,
      lastSequence: this.#tip?.sequence ?? 0,
      unsignedEvents: this.#unsignedEvents,
      tornBytes: this.#tornBytes,
    };
  }

  #line({ record, offset }: StoredLine, finding: (code: TrailFinding['code']) => TrailFinding): void {
    if (record === undefined) {
      // What follows damage cannot be linked; only the first record after it says so once more.
      if (!this.#isDamaged) {
        this.#report(finding('damaged_record'));
      }
      this.#isDamaged = true;
      return;
    }
    const header = offset === 0 ? parseHeader(record) : undefined;
    const start = this.#tip === undefined && header !== undefined;
    if (start) {
      this.#begin(record, header, finding);
    } else if (header?.broken !== undefined && record.previousHash === GENESIS.hash) {
      this.#report(finding('broken_chain'));
    } else if (this.#tip === undefined || !(continues(this.#tip, record) || this.#isDamaged)) {
      this.#report(finding('broken_link'));
    }
    this.#isDamaged = false;
    this.#check(record, finding);
    this.#tip = { sequence: record.sequence, hash: record.hash };
  }

  #begin(
    record: StoredRecord,
    header: SegmentHeader,
    finding: (code: TrailFinding['code']) => TrailFinding,
  ): void {
    if (header.broken !== undefined) {
      this.#report(finding('broken_chain'));
    } else if (record.previousHash !== GENESIS.hash || header.previous !== undefined) {
      this.#missingBefore = {
        segment: header.previous?.segment ?? 0,
        tip: { sequence: record.sequence, hash: record.previousHash },
        finding: finding('missing_segments'),
      };
    }
  }

  #check(record: StoredRecord, finding: (code: TrailFinding['code']) => TrailFinding): void {
    if (record.kind === EVENT_KIND) {
      this.#events += 1;
      this.#unsignedEvents += 1;
      this.#firstSequence ||= record.sequence;
      return;
    }
    const checkpoint = parseCheckpoint(record);
    if (checkpoint !== undefined) {
      const isTrue = checkpoint.hash === record.previousHash && checkpoint.sequence === record.sequence;
      if (!isTrue || (this.#keys && !isCheckpointSigned(checkpoint, this.#keys))) {
        this.#report(finding('bad_signature'));
      }
      this.#checkpoints += 1;
      this.#unsignedEvents = 0;
      this.#isAnchored ||=
        checkpoint.hash === this.#anchor?.hash && checkpoint.sequence === this.#anchor.sequence;
    }
    const tombstone = parseTombstone(record);
    if (tombstone !== undefined) {
      if (this.#keys && !isTombstoneSigned(tombstone, this.#keys)) {
        this.#report(finding('bad_signature'));
      } else {
        this.#bury(tombstone);
      }
    }
  }

  #bury({ segment, sequence, hash }: Tombstone): void {
    const missing = this.#missingBefore;
    if (missing?.segment === segment && missing.tip.sequence === sequence && missing.tip.hash === hash) {
      this.#missingBefore = undefined;
    }
  }

  #finding(code: TrailFinding['code'], segment: number, line: number, offset: number): TrailFinding {
    return { code, segment, line, offset, afterSequence: this.#tip?.sequence ?? 0 };
  }

  #report(finding: TrailFinding): void {
    if (this.#findings.length < MAX_FINDINGS) {
      this.#findings.push(finding);
    }
  }
}
