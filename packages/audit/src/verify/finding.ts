import type { AuditCheckpoint } from '../chain/checkpoint.ts';

/** What is wrong with a trail, and where. */
export interface TrailFinding {
  /**
   * - `damaged_record`: the bytes of a record are not what was written.
   * - `broken_link`: a record does not follow the one before it: something was removed, added or moved.
   * - `broken_chain`: the writer met a chain that it could not go on with, kept it, and began a new one here.
   * - `bad_signature`: a checkpoint or tombstone was not signed with a given key, or not for this chain.
   * - `unsigned`: more events have no signature, or for longer, than the writer leaves any: it did not write them, or
   *   its signer has been failing.
   * - `missing_segments`: the trail does not begin at its beginning, and no tombstone says why.
   * - `missing_end`: the anchor is not in the trail.
   * - `bad_anchor`: no anchor belongs to this trail, or it was not signed with a given key.
   * - `not_delivered`: what a sink was given, says its cursor, is not what is in the trail.
   * - `missing_trail`: there is no segment at all.
   */
  readonly code:
    | 'damaged_record'
    | 'broken_link'
    | 'broken_chain'
    | 'bad_signature'
    | 'unsigned'
    | 'missing_segments'
    | 'missing_end'
    | 'bad_anchor'
    | 'not_delivered'
    | 'missing_trail';
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
  /** The chain that was verified; `undefined` when there is none. */
  readonly writerId: string | undefined;
  readonly segments: number;
  readonly events: number;
  readonly checkpoints: number;
  /** The last checkpoint that is to be believed: an anchor for a later verification. */
  readonly lastCheckpoint: AuditCheckpoint | undefined;
  /** 0 for a trail without events. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Events after the last checkpoint: linked, but nobody vouches for them yet. */
  readonly unsignedEvents: number;
  /** Bytes at the end of the last segment that are a part of a commit: one under way, or one that was cut short. */
  readonly tornBytes: number;
}
