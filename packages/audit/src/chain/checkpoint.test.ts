import { createPublicKey, generateKeyPairSync } from 'node:crypto';

import { assert, describe, expect, it } from 'vitest';

import { memoryDisk } from '../../test/memory-disk.ts';
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
import { isSigningKey, keyIdOf, loadSigner } from './signing.ts';

const DIRECTORY = '/trail';
const TIME = Date.parse('2026-01-02T03:04:05.678Z');
const writerId = '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10';
const tip = { sequence: 7, hash: 'a'.repeat(64) };

async function signerAndKeys() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signer = await loadSigner(DIRECTORY, memoryDisk(), privateKey);
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
    const checkpoint = createCheckpoint(signer, writerId, tip, TIME);
    expect(checkpoint).toMatchObject({ ...tip, writerId, time: '2026-01-02T03:04:05.678Z' });
    expect(parseCheckpoint(stored(CHECKPOINT_KIND, checkpoint))).toEqual(checkpoint);
    expect(parseTombstone(stored(CHECKPOINT_KIND, checkpoint))).toBeUndefined();
    expect(isCheckpointSigned(checkpoint, keys)).toBe(true);
  });

  it('is not believed when a signed member was changed, or another key made it', async () => {
    const { signer, keys } = await signerAndKeys();
    const checkpoint = createCheckpoint(signer, writerId, tip, TIME);
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
    const tombstone = createTombstone(signer, { writerId, segment: 3, tip }, TIME);
    expect(parseTombstone(stored(TOMBSTONE_KIND, tombstone))).toEqual(tombstone);
    expect(isTombstoneSigned(tombstone, keys)).toBe(true);
    for (const change of [{ segment: 4 }, { sequence: 8 }, { hash: 'b'.repeat(64) }]) {
      expect(isTombstoneSigned({ ...tombstone, ...change }, keys)).toBe(false);
    }
  });
});

describe('the signing key', () => {
  it('is made once, kept, and laid beside the trail in its public half', async () => {
    const disk = memoryDisk();
    const first = await loadSigner(DIRECTORY, disk);
    const second = await loadSigner(DIRECTORY, disk);
    expect(second.keyId).toBe(first.keyId);
    const published = createPublicKey(disk.files.get('/trail/signing-key.pub.pem')?.durable ?? '');
    expect(keyIdOf(published)).toBe(first.keyId);
  });

  it('is not kept when it comes from elsewhere', async () => {
    const disk = memoryDisk();
    const { privateKey } = generateKeyPairSync('ed25519');
    await loadSigner(DIRECTORY, disk, privateKey);
    expect([...disk.files.keys()]).toEqual(['/trail/signing-key.pub.pem']);
  });

  it('is refused when it is kept and not an ed25519 key', async () => {
    const disk = memoryDisk();
    await loadSigner(DIRECTORY, disk);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const pem of ['no key', String(privateKey.export({ type: 'pkcs8', format: 'pem' }))]) {
      const bytes = Buffer.from(pem);
      disk.files.set('/trail/signing-key.pem', { bytes, durable: bytes });
      await expect(loadSigner(DIRECTORY, disk)).rejects.toMatchObject({ code: 'damaged' });
    }
    expect(isSigningKey(privateKey)).toBe(false);
  });
});
