import { join } from 'node:path';

import { z } from 'zod';

import { isOriginSigned, originSchema } from '../chain/checkpoint.ts';
import { firstRecord, type StoredRecord } from '../chain/record.ts';
import type { PublicKeys } from '../chain/signer.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';

/** One file of the log and how much of it is durable. */
export interface Segment {
  readonly number: number;
  readonly sizeBytes: number;
}

/** Where an intent without an outcome is stored. */
export interface OpenIntent {
  readonly id: string;
  readonly segment: number;
  readonly offset: number;
}

const headerSchema = z.looseObject({
  version: z.literal(1),
  writerId: z.uuid(),
  segment: z.int().positive(),
  createdAt: z.iso.datetime(),
  /** The segment before and how much of it is durable; what follows there was refused. */
  previous: z.object({ segment: z.int().positive(), sizeBytes: z.int().nonnegative() }).optional(),
  /** What a start must close even if it reads no older segment. */
  openIntents: z.array(z.object({ id: z.string(), segment: z.int(), offset: z.int() })),
  /** The segment in which this chain began. */
  chainStart: z.int().positive().optional(),
  /** Whether the last record of each commit says how long the commit is; older trails do not. */
  isFramed: z.literal(true).optional(),
  /** How many events, and for how long, the writer leaves without a checkpoint at most. */
  cadence: z
    .object({ checkpointEvents: z.int().positive(), checkpointIntervalMs: z.int().positive() })
    .optional(),
  /** Vouches for the first record of a chain. */
  origin: originSchema.optional(),
  /** The chain that ended before this one because it was not what was written, and its last good record. */
  broken: z
    .object({ segment: z.int(), sequence: z.int().nonnegative(), hash: z.string(), reason: z.string() })
    .optional(),
});

/**
 * The first record of a segment. It takes no sequence of its own. A chain starts with a header whose
 * `prev` is all zeros: at sequence 0, or at the sequence where a broken chain ended.
 */
export type SegmentHeader = z.infer<typeof headerSchema>;

/** Where and why a chain could not be continued. */
export type BrokenChain = NonNullable<SegmentHeader['broken']>;

/** The kind of the first record of a segment. */
export const HEADER_KIND = 'segment';

// A header names every call that is under way: room for some ten thousand of them.
const MAX_HEADER_BYTES = 1024 * 1024;

/** The path of a segment: ten digits, so that names sort as numbers do. */
export function segmentPath(directory: string, number: number): string {
  return join(directory, segmentName(number));
}

/** The file name of a segment. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.jsonl`;
}

/** The numbers of the segments among the names of a directory, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .filter((name) => /^\d{10}\.jsonl$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .toSorted((a, b) => a - b);
}

/** Decodes the header in a record whose hash was checked. */
export function parseHeader(record: StoredRecord | undefined): SegmentHeader | undefined {
  if (record?.kind !== HEADER_KIND) {
    return undefined;
  }
  return headerSchema.safeParse(JSON.parse(record.payload.toString('utf8'))).data;
}

/** Whether a header vouches for the beginning of its chain; `undefined` when it does not say so. */
export function isOrigin(
  record: StoredRecord,
  header: SegmentHeader,
  keys: PublicKeys | undefined,
): boolean | undefined {
  const { origin, cadence } = header;
  if (origin === undefined || cadence === undefined) {
    return undefined;
  }
  return (
    keys === undefined || isOriginSigned({ ...header, cadence, sequence: record.sequence }, origin, keys)
  );
}

/** Reads only the header of a segment; `undefined` when there is none that verifies. */
export async function readHeader(
  directory: string,
  fileSystem: AuditFileSystem,
  number: number,
): Promise<{ readonly record: StoredRecord; readonly header: SegmentHeader } | undefined> {
  const record = await withFile(fileSystem, segmentPath(directory, number), 'read', async (file) => {
    // Most headers are short.
    return firstRecord(await file.read(0, 4096)) ?? firstRecord(await file.read(0, MAX_HEADER_BYTES));
  });
  const header = parseHeader(record);
  return record === undefined || header === undefined ? undefined : { record, header };
}
