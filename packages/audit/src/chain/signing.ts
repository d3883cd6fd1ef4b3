import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';

import { readIfPresent, replaceFile, type AuditFileSystem } from '../disk/file-system.ts';
import { AuditError } from '../errors.ts';

const PRIVATE_KEY_FILE = 'signing-key.pem';
/** Beside the segments, for whoever verifies a copy of them. */
export const PUBLIC_KEY_FILE = 'signing-key.pub.pem';

/** Signs with one ed25519 key. */
export interface Signer {
  /** Tells keys apart: the first 16 hex digits of the SHA-256 of the public key (SPKI, DER). */
  readonly keyId: string;
  /** Returns the signature as base64. */
  readonly sign: (text: string) => string;
}

/**
 * Takes the given key, or the one kept in the directory, or makes one and keeps it there with mode 0600.
 * Writes the public key beside it.
 * @throws {AuditError} `damaged` when the kept key is not an ed25519 key
 */
export async function loadSigner(
  directory: string,
  fileSystem: AuditFileSystem,
  given?: KeyObject,
): Promise<Signer> {
  const key = given ?? (await keptKey(directory, fileSystem)) ?? (await newKey(directory, fileSystem));
  const publicPem = String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));
  if (publicPem !== (await readIfPresent(fileSystem, directory, PUBLIC_KEY_FILE))?.toString()) {
    await replaceFile(fileSystem, directory, PUBLIC_KEY_FILE, Buffer.from(publicPem));
  }
  return {
    keyId: keyIdOf(createPublicKey(key)),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
  };
}

/** Whether one of `keys` is the key `keyId` and made the signature. */
export function isSignedWith(
  keys: ReadonlyMap<string, KeyObject>,
  keyId: string,
  text: string,
  signature: string,
): boolean {
  const key = keys.get(keyId);
  return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
}

/** The id of a public key. */
export function keyIdOf(publicKey: KeyObject): string {
  const bytes = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

async function keptKey(directory: string, fileSystem: AuditFileSystem): Promise<KeyObject | undefined> {
  const pem = await readIfPresent(fileSystem, directory, PRIVATE_KEY_FILE);
  if (pem === undefined) {
    return undefined;
  }
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new AuditError('damaged', `${directory}/${PRIVATE_KEY_FILE} is not a key`, { cause });
  }
  if (!isSigningKey(key)) {
    throw new AuditError('damaged', `${directory}/${PRIVATE_KEY_FILE} is not ed25519`);
  }
  return key;
}

async function newKey(directory: string, fileSystem: AuditFileSystem): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await replaceFile(fileSystem, directory, PRIVATE_KEY_FILE, Buffer.from(pem));
  return privateKey;
}

/** Whether a key can sign checkpoints. */
export function isSigningKey(key: KeyObject): boolean {
  return key.type === 'private' && key.asymmetricKeyType === 'ed25519';
}
