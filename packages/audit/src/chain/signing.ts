import { createPrivateKey, createPublicKey, generateKeyPairSync, KeyObject } from 'node:crypto';

import { readIfPresent, replaceFile, type AuditFileSystem } from '../disk/file-system.ts';
import { AuditError } from '../errors.ts';
import {
  byKeyId,
  isSigningKey,
  keyIdOf,
  localSigner,
  textSigner,
  type AuditSigner,
  type PublicKeys,
  type TextSigner,
} from './signer.ts';

const PRIVATE_KEY_FILE = 'signing-key.pem';
/** Beside the segments, for whoever verifies a copy of them. */
const PUBLIC_KEY_FILE = 'signing-key.pub.pem';
// Those that signed before: what they signed is verified for as long as it is kept.
const EARLIER_KEY_FILE = /^signing-key-[0-9a-f]{16}\.pub\.pem$/;

/** Who signs from now on, and whose signatures a start believes. */
export interface TrailKeys {
  readonly signer: TextSigner;
  readonly known: PublicKeys;
  /** The id of the key that signed until now, when another one takes over. */
  readonly replacedKeyId: string | undefined;
}

/**
 * Takes the given key or signer, or the key kept in the directory, or makes one and keeps it there with mode 0600.
 * Writes the public key beside it, and keeps the one that was there before by its id. With `trusted`, no key beside the
 * trail is believed.
 * @throws {AuditError} `damaged` when the kept key is not an ed25519 key
 */
export async function loadKeys(
  directory: string,
  fileSystem: AuditFileSystem,
  given?: KeyObject | AuditSigner,
  trusted?: readonly KeyObject[],
): Promise<TrailKeys> {
  const signer = given === undefined ? localSigner(await ownKey(directory, fileSystem)) : signerOf(given);
  const current = signer.publicKey;
  // First: once it is replaced, nobody could tell what the earlier key has signed.
  const before = await publicKeyIn(directory, fileSystem, PUBLIC_KEY_FILE);
  const replacedKeyId = before && keyIdOf(before) !== keyIdOf(current) ? keyIdOf(before) : undefined;
  if (before === undefined || replacedKeyId !== undefined) {
    if (before !== undefined) {
      await keepPublicKey(directory, fileSystem, `signing-key-${keyIdOf(before)}.pub.pem`, before);
    }
    await keepPublicKey(directory, fileSystem, PUBLIC_KEY_FILE, current);
  }
  const earlier =
    trusted ?? (await publicKeysIn(directory, fileSystem, (name) => EARLIER_KEY_FILE.test(name)));
  return { signer: textSigner(signer), known: byKeyId([...earlier, current]), replacedKeyId };
}

/** The public keys that lie beside the segments: the present one and those before it. */
export function publicKeysBeside(
  directory: string,
  fileSystem: AuditFileSystem,
): Promise<readonly KeyObject[]> {
  return publicKeysIn(
    directory,
    fileSystem,
    (name) => name === PUBLIC_KEY_FILE || EARLIER_KEY_FILE.test(name),
  );
}

async function publicKeysIn(
  directory: string,
  fileSystem: AuditFileSystem,
  isMeant: (name: string) => boolean,
): Promise<readonly KeyObject[]> {
  const files = (await fileSystem.list(directory)).filter(isMeant);
  const keys = await Promise.all(files.map((name) => publicKeyIn(directory, fileSystem, name)));
  return keys.filter((key) => key !== undefined);
}

function signerOf(given: KeyObject | AuditSigner): AuditSigner {
  return given instanceof KeyObject ? localSigner(given) : given;
}

async function keepPublicKey(
  directory: string,
  fileSystem: AuditFileSystem,
  name: string,
  key: KeyObject,
): Promise<void> {
  const pem = String(key.export({ type: 'spki', format: 'pem' }));
  await replaceFile(fileSystem, directory, name, Buffer.from(pem));
}

async function publicKeyIn(
  directory: string,
  fileSystem: AuditFileSystem,
  name: string,
): Promise<KeyObject | undefined> {
  const pem = await readIfPresent(fileSystem, directory, name);
  try {
    return pem && createPublicKey(pem);
  } catch {
    // Whatever is in it verifies nothing; a signature that needs it is a finding.
    return undefined;
  }
}

async function ownKey(directory: string, fileSystem: AuditFileSystem): Promise<KeyObject> {
  return (await keptKey(directory, fileSystem)) ?? (await newKey(directory, fileSystem));
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
    throw new AuditError('damaged', `${directory}/${PRIVATE_KEY_FILE} is not a key that signs checkpoints`);
  }
  return key;
}

async function newKey(directory: string, fileSystem: AuditFileSystem): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await replaceFile(fileSystem, directory, PRIVATE_KEY_FILE, Buffer.from(pem));
  return privateKey;
}
