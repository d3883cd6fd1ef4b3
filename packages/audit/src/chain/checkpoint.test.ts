import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

import { assert, describe, expect, it } from 'vitest';

import { memoryDisk, type MemoryDisk } from '../../test/memory-disk.ts';
import {
  CHECKPOINT_KIND,
  createCheckpoint,
  createTombstone,
  isCheckpointSigned,
  isTombstoneSigned,
  parseCheckpoint,
  parseTombstone,
  TOMBSTONE_KIND,
} from './checkpoint.ts';
import { decodeRecord, encodeRecord, GENESIS, type StoredRecord } from './record.ts';
import { isSigningKey, keyIdOf } from './signer.ts';
import { loadKeys } from './signing.ts';

const DIRECTORY = '/trail';
const TIME = Date.parse('2026-01-02T03:04:05.678Z');
const now = { time: TIME, signal: new AbortController().signal };
const writerId = '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10';
const tip = { sequence: 7, hash: 'a'.repeat(64) };

async function signerAndKeys() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { signer } = await loadKeys(DIRECTORY, memoryDisk(), privateKey);
  return { signer, keys: new Map([[keyIdOf(publicKey), publicKey]]) };
}

function stored(kind: string, payload: object): StoredRecord {
  const record = decodeRecord(
    Buffer.from(encodeRecord(GENESIS, kind, JSON.stringify(payload)).line.trimEnd()),
  );
  assert(record);
  return record;
}

describe('a checkpoint', () => {
  it('is read back from its record, and vouches for where the chain stood', async () => {
    const { signer, keys } = await signerAndKeys();
    const checkpoint = await createCheckpoint(signer, writerId, tip, now);
    expect(checkpoint).toMatchObject({ ...tip, writerId, time: '2026-01-02T03:04:05.678Z' });
    expect(parseCheckpoint(stored(CHECKPOINT_KIND, checkpoint))).toEqual(checkpoint);
    expect(parseTombstone(stored(CHECKPOINT_KIND, checkpoint))).toBeUndefined();
    expect(isCheckpointSigned(checkpoint, keys)).toBe(true);
  });

  it('is not believed when a signed member was changed, or another key made it', async () => {
    const { signer, keys } = await signerAndKeys();
    const checkpoint = await createCheckpoint(signer, writerId, tip, now);
    const changes = [
      { sequence: 8 },
      { hash: 'b'.repeat(64) },
      { writerId: crypto.randomUUID() },
      { time: '2026-01-02T03:04:05.679Z' },
      { id: crypto.randomUUID() },
      { keyId: 'other' },
      { signature: '' },
    ];
    for (const change of changes) {
      expect(isCheckpointSigned({ ...checkpoint, ...change }, keys)).toBe(false);
    }
    expect(isCheckpointSigned(checkpoint, (await signerAndKeys()).keys)).toBe(false);
  });
});

describe('a tombstone', () => {
  it('vouches for the segments that were removed, and is no checkpoint', async () => {
    const { signer, keys } = await signerAndKeys();
    const tombstone = await createTombstone(signer, { writerId, segment: 3, tip }, now);
    expect(parseTombstone(stored(TOMBSTONE_KIND, tombstone))).toEqual(tombstone);
    expect(isTombstoneSigned(tombstone, keys)).toBe(true);
    for (const change of [{ segment: 4 }, { sequence: 8 }, { hash: 'b'.repeat(64) }]) {
      expect(isTombstoneSigned({ ...tombstone, ...change }, keys)).toBe(false);
    }
  });
});

describe('the signing key', () => {
  const publishedOn = (disk: MemoryDisk): string =>
    keyIdOf(createPublicKey(disk.files.get('/trail/signing-key.pub.pem')?.durable ?? ''));

  it('is made once, kept, and laid beside the trail in its public half', async () => {
    const disk = memoryDisk();
    const first = await loadKeys(DIRECTORY, disk);
    const second = await loadKeys(DIRECTORY, disk);
    expect(second.signer.keyId).toBe(first.signer.keyId);
    expect(publishedOn(disk)).toBe(first.signer.keyId);
    expect([...second.known.keys()]).toEqual([first.signer.keyId]);
  });

  it('is not kept when it comes from elsewhere', async () => {
    const disk = memoryDisk();
    const { privateKey } = generateKeyPairSync('ed25519');
    await loadKeys(DIRECTORY, disk, privateKey);
    expect([...disk.files.keys()]).toEqual(['/trail/signing-key.pub.pem']);
  });

  it('leaves its public half by its id when another one follows, however often', async () => {
    const disk = memoryDisk();
    const ids: string[] = [];
    for (let rotation = 0; rotation < 3; rotation += 1) {
      const { privateKey } = generateKeyPairSync('ed25519');
      const { signer, known } = await loadKeys(DIRECTORY, disk, privateKey);
      ids.push(signer.keyId);
      expect([...known.keys()].toSorted()).toEqual(ids.toSorted());
      expect(publishedOn(disk)).toBe(signer.keyId);
    }
    const kept = ids.slice(0, 2).map((id) => `/trail/signing-key-${id}.pub.pem`);
    expect([...disk.files.keys()].toSorted()).toEqual([...kept, '/trail/signing-key.pub.pem'].toSorted());
  });

  it('may be somewhere else, on either curve, and is held to what it signs', async () => {
    for (const pair of [generateKeyPairSync('ed25519'), generateKeyPairSync('ec', { namedCurve: 'P-256' })]) {
      const { publicKey, privateKey } = pair;
      const digest = publicKey.asymmetricKeyType === 'ec' ? 'sha256' : null;
      const { signer, known } = await loadKeys(DIRECTORY, memoryDisk(), {
        publicKey,
        sign: async (bytes) => sign(digest, bytes, privateKey),
      });
      const checkpoint = await createCheckpoint(signer, writerId, tip, now);
      expect(isCheckpointSigned(checkpoint, known)).toBe(true);
      const other = {
        publicKey,
        sign: async (bytes: Uint8Array) => sign(digest, bytes.subarray(1), privateKey),
      };
      const wrong = await loadKeys(DIRECTORY, memoryDisk(), other);
      await expect(createCheckpoint(wrong.signer, writerId, tip, now)).rejects.toThrow(
        'not made with the key',
      );
    }
  });

  it('is refused when it is kept and cannot sign checkpoints', async () => {
    const disk = memoryDisk();
    await loadKeys(DIRECTORY, disk);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const pem of ['no key', String(privateKey.export({ type: 'pkcs8', format: 'pem' }))]) {
      const bytes = Buffer.from(pem);
      disk.files.set('/trail/signing-key.pem', { bytes, durable: bytes });
      await expect(loadKeys(DIRECTORY, disk)).rejects.toMatchObject({ code: 'damaged' });
    }
    expect(isSigningKey(privateKey)).toBe(false);
  });
});
