import { z } from 'zod';

import { uuidv7 } from '../event/uuid.ts';
import type { CheckpointCadence } from './cadence.ts';
import type { ChainTip, StoredRecord } from './record.ts';
import { isSignedWith, type PublicKeys, type TextSigner } from './signer.ts';

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
  /** The hash of the last record it vouches for, which covers all records before that one. */
  hash,
  keyId: z.string(),
  /** base64: ed25519, or ECDSA (P-256, SHA-256) in DER. */
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

/** Who vouches for the first record of a chain: a chain is signed from its beginning, however few its events are. */
export const originSchema = z.object({ keyId: z.string(), signature: z.string() });

/** The signature in the first record of a chain. */
export type Origin = z.infer<typeof originSchema>;

/** What an origin vouches for. */
export interface ChainStart {
  readonly writerId: string;
  readonly segment: number;
  readonly createdAt: string;
  /** Where the chain begins: 0, or where a broken one ended. */
  readonly sequence: number;
  readonly cadence: CheckpointCadence;
}

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

/** Signs the beginning of a chain. Rejects when the signer does. */
export async function createOrigin(
  signer: TextSigner,
  start: ChainStart,
  { signal }: { readonly signal: AbortSignal },
): Promise<Origin> {
  return { keyId: signer.keyId, signature: await signer.sign(originText(start), signal) };
}

/** Whether the beginning of a chain was signed with one of `keys`, by key id. */
export function isOriginSigned(start: ChainStart, origin: Origin, keys: PublicKeys): boolean {
  return isSignedWith(keys, origin.keyId, originText(start), origin.signature);
}

/** Signs where a chain stands. Rejects when the signer does. */
export async function createCheckpoint(
  signer: TextSigner,
  writerId: string,
  tip: ChainTip,
  options: { readonly time: number; readonly signal: AbortSignal },
): Promise<AuditCheckpoint> {
  const { time, signal } = options;
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
  return { ...unsigned, signature: await signer.sign(checkpointText(unsigned), signal) };
}

/** Whether a checkpoint was signed with one of `keys`, by key id. */
export function isCheckpointSigned(checkpoint: AuditCheckpoint, keys: PublicKeys): boolean {
  return isSignedWith(keys, checkpoint.keyId, checkpointText(checkpoint), checkpoint.signature);
}

/** Signs that all segments up to one were removed. Rejects when the signer does. */
export async function createTombstone(
  signer: TextSigner,
  removed: { readonly writerId: string; readonly segment: number; readonly tip: ChainTip },
  options: { readonly time: number; readonly signal: AbortSignal },
): Promise<Tombstone> {
  const { time, signal } = options;
  const unsigned = {
    version: 1,
    time: new Date(time).toISOString(),
    writerId: removed.writerId,
    segment: removed.segment,
    sequence: removed.tip.sequence,
    hash: removed.tip.hash,
    keyId: signer.keyId,
  } as const;
  return { ...unsigned, signature: await signer.sign(tombstoneText(unsigned), signal) };
}

/** Whether a tombstone was signed with one of `keys`, by key id. */
export function isTombstoneSigned(tombstone: Tombstone, keys: PublicKeys): boolean {
  return isSignedWith(keys, tombstone.keyId, tombstoneText(tombstone), tombstone.signature);
}

// A fixed order of lines, each of which can hold no line break: no two statements have the same text.
function checkpointText(checkpoint: Omit<AuditCheckpoint, 'signature'>): string {
  const { id, time, writerId, sequence, hash } = checkpoint;
  return ['audit checkpoint 1', id, time, writerId, sequence, hash].join('\n');
}

function originText({ writerId, segment, createdAt, sequence, cadence }: ChainStart): string {
  const { checkpointEvents, checkpointIntervalMs } = cadence;
  const parts = [writerId, segment, createdAt, sequence, checkpointEvents, checkpointIntervalMs];
  return ['audit chain 1', ...parts].join('\n');
}

function tombstoneText({ time, writerId, segment, sequence, hash }: Omit<Tombstone, 'signature'>): string {
  return ['audit tombstone 1', time, writerId, segment, sequence, hash].join('\n');
}
