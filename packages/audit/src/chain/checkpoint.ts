import type { KeyObject } from 'node:crypto';

import { z } from 'zod';

import { uuidv7 } from '../event/uuid.ts';
import type { ChainTip, StoredRecord } from './record.ts';
import { isSignedWith, type Signer } from './signing.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** Checks a checkpoint as a collector receives it. Loose: a newer writer may add fields. */
export const auditCheckpointSchema = z.looseObject({
  schemaVersion: z.literal(1),
  stage: z.literal('checkpoint'),
  id: z.uuid({ version: 'v7' }),
  time: z.iso.datetime(),
  writerId: z.uuid(),
  /** The last event it vouches for. A checkpoint takes no number of its own. */
  sequence: z.int().nonnegative(),
  /** The hash of the record before it, which covers all records before that one. */
  hash,
  keyId: z.string(),
  /** ed25519, base64. */
  signature: z.string(),
});

/** The signed statement that a chain had this hash at this sequence. */
export type AuditCheckpoint = z.infer<typeof auditCheckpointSchema>;

/** Says which segments were removed on purpose, so that the first one left can be linked. */
const tombstoneSchema = z.looseObject({
  version: z.literal(1),
  time: z.iso.datetime(),
  writerId: z.uuid(),
  /** The last segment that was removed; with it all before it. */
  segment: z.int().positive(),
  /** Where the chain stood at its end. */
  sequence: z.int().nonnegative(),
  hash,
  keyId: z.string(),
  signature: z.string(),
});

/** The signed statement that segments were removed. */
export type Tombstone = z.infer<typeof tombstoneSchema>;

/** The kind of the records that hold a checkpoint. */
export const CHECKPOINT_KIND = 'checkpoint';
/** The kind of the records that hold a tombstone. */
export const TOMBSTONE_KIND = 'tombstone';

/** Decodes the checkpoint in a record whose hash was checked. */
export function parseCheckpoint(record: StoredRecord): AuditCheckpoint | undefined {
  if (record.kind !== CHECKPOINT_KIND) {
    return undefined;
  }
  return auditCheckpointSchema.safeParse(JSON.parse(record.payload.toString('utf8'))).data;
}

/** Decodes the tombstone in a record whose hash was checked. */
export function parseTombstone(record: StoredRecord): Tombstone | undefined {
  if (record.kind !== TOMBSTONE_KIND) {
    return undefined;
  }
  return tombstoneSchema.safeParse(JSON.parse(record.payload.toString('utf8'))).data;
}

/** Signs where a chain stands. */
export function createCheckpoint(
  signer: Signer,
  writerId: string,
  tip: ChainTip,
  time: number,
): AuditCheckpoint {
  const unsigned = {
    schemaVersion: 1,
    stage: 'checkpoint',
    id: uuidv7(time),
    time: new Date(time).toISOString(),
    writerId,
    sequence: tip.sequence,
    hash: tip.hash,
    keyId: signer.keyId,
  } as const;
  return { ...unsigned, signature: signer.sign(checkpointText(unsigned)) };
}

/** Whether a checkpoint was signed with one of `keys`, by key id. */
export function isCheckpointSigned(
  checkpoint: AuditCheckpoint,
  keys: ReadonlyMap<string, KeyObject>,
): boolean {
  return isSignedWith(keys, checkpoint.keyId, checkpointText(checkpoint), checkpoint.signature);
}

/** Signs that all segments up to one were removed. */
export function createTombstone(
  signer: Signer,
  removed: { readonly writerId: string; readonly segment: number; readonly tip: ChainTip },
  time: number,
): Tombstone {
  const unsigned = {
    version: 1,
    time: new Date(time).toISOString(),
    writerId: removed.writerId,
    segment: removed.segment,
    sequence: removed.tip.sequence,
    hash: removed.tip.hash,
    keyId: signer.keyId,
  } as const;
  return { ...unsigned, signature: signer.sign(tombstoneText(unsigned)) };
}

/** Whether a tombstone was signed with one of `keys`, by key id. */
export function isTombstoneSigned(tombstone: Tombstone, keys: ReadonlyMap<string, KeyObject>): boolean {
  return isSignedWith(keys, tombstone.keyId, tombstoneText(tombstone), tombstone.signature);
}

// A fixed order of lines, each of which can hold no line break: no two statements have the same text.
function checkpointText(checkpoint: Omit<AuditCheckpoint, 'signature'>): string {
  const { id, time, writerId, sequence, hash } = checkpoint;
  return ['audit checkpoint 1', id, time, writerId, sequence, hash].join('\n');
}

function tombstoneText({ time, writerId, segment, sequence, hash }: Omit<Tombstone, 'signature'>): string {
  return ['audit tombstone 1', time, writerId, segment, sequence, hash].join('\n');
}
