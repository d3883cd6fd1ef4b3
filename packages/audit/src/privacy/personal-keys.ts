import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { z } from 'zod';

import { checkPath } from '../disk/check-path.ts';
import { nodeFileSystem, readIfPresent } from '../disk/file-system.ts';
import { platformFiles } from '../disk/platform-files.ts';
import { AuditError } from '../errors.ts';
import { parseJson } from '../parse-json.ts';

/** What identifies a person beyond the id. */
export interface PersonalData {
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
}

/** One key for each person. Whoever destroys it makes all that was sealed with it unreadable, in every copy. */
export interface PersonalKeys {
  /**
   * Encrypts a person's data with their key, which is made durable first if it is new. Each text keeps at most
   * 256 bytes. The same data may be the same text for as long as the key lives: the actor's id beside it says as much.
   * @throws {AuditError} `unavailable` when the key can be neither read nor stored
   */
  readonly seal: (actorId: string, data: PersonalData) => Promise<string>;
  /** Decrypts what was sealed; `undefined` once the key is destroyed, or when the text is not what was sealed. */
  readonly open: (actorId: string, sealed: string) => Promise<PersonalData | undefined>;
  /** Destroys a person's key; resolves when that is durable, with whether there was one. */
  readonly destroy: (actorId: string) => Promise<boolean>;
}

const { open, remove, syncDirectory } = platformFiles;

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const MAX_TEXT_BYTES = 256;
const MAX_CACHED_PEOPLE = 1000;
const personalData = z.object({ displayName: z.string().optional(), email: z.string().optional() });

/** What is kept of a person: encrypting costs more than all else that an event needs. */
interface Person extends PersonalData {
  readonly key: Buffer;
  readonly sealed: string;
}

/**
 * Keeps a key for each person in a directory (mode 0700), one file each, which several processes may share. Keep it
 * out of backups that outlive an erasure: a key that is restored opens everything again. A process that sealed for a
 * person keeps their key, and what it sealed last, in memory until it ends: of the last 1,000 people.
 * @throws {TypeError} when there is no directory
 */
export async function openPersonalKeys(directory: string): Promise<PersonalKeys> {
  checkPath('directory', directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // In the order of their last use.
  const cache = new Map<string, Person>();

  function remember(actorId: string, person: Person): void {
    cache.delete(actorId);
    const [idlest] = cache.keys();
    if (cache.size >= MAX_CACHED_PEOPLE && idlest !== undefined) {
      cache.delete(idlest);
    }
    cache.set(actorId, person);
  }

  return {
    async seal(actorId, { displayName, email }) {
      const known = cache.get(actorId);
      if (known !== undefined && known.displayName === displayName && known.email === email) {
        remember(actorId, known);
        return known.sealed;
      }
      const key = known?.key ?? (await findOrCreateKey(directory, actorId));
      const plain = { displayName: bounded(displayName), email: bounded(email) };
      const sealed = encrypt(key, actorId, JSON.stringify(plain));
      remember(actorId, { key, displayName, email, sealed });
      return sealed;
    },
    async open(actorId, sealed) {
      const key = await readKey(directory, actorId);
      const text = key && decrypt(key, actorId, sealed);
      return text === undefined ? undefined : personalData.parse(parseJson(text));
    },
    async destroy(actorId) {
      cache.delete(actorId);
      try {
        await remove(keyPath(directory, actorId));
      } catch (error) {
        if (hasCode(error, 'ENOENT')) {
          return false;
        }
        throw error;
      }
      await syncDirectory(directory);
      return true;
    },
  };
}

async function findOrCreateKey(directory: string, actorId: string): Promise<Buffer> {
  try {
    return (await readKey(directory, actorId)) ?? (await createKey(directory, actorId));
  } catch (cause) {
    throw new AuditError('unavailable', 'A personal key could be neither read nor stored', { cause });
  }
}

// Written aside and then linked: a key file is whole or not there, and of two writers the first wins.
async function createKey(directory: string, actorId: string): Promise<Buffer> {
  const temporary = join(directory, `${randomUUID()}.tmp`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(KEY_BYTES));
    await file.datasync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, keyPath(directory, actorId));
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) {
      throw error;
    }
  } finally {
    await remove(temporary);
  }
  await syncDirectory(directory);
  const key = await readKey(directory, actorId);
  if (key === undefined) {
    throw new Error('The new key is gone');
  }
  return key;
}

async function readKey(directory: string, actorId: string): Promise<Buffer | undefined> {
  const key = await readIfPresent(nodeFileSystem, directory, basename(keyPath(directory, actorId)));
  if (key !== undefined && key.byteLength !== KEY_BYTES) {
    throw new Error(`A key file has ${key.byteLength} bytes`);
  }
  return key;
}

// The id is part of the authenticated data: a sealed text moved to another person does not open.
function encrypt(key: Buffer, actorId: string, text: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(actorId));
  const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${iv.toString('base64url')}.${bytes.toString('base64url')}`;
}

function decrypt(key: Buffer, actorId: string, sealed: string): string | undefined {
  const [version, iv = '', data = ''] = sealed.split('.');
  const bytes = Buffer.from(data, 'base64url');
  if (version !== 'v1' || bytes.length < TAG_BYTES) {
    return undefined;
  }
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(actorId))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    // Not sealed with this key for this person; the cipher does not say which.
    return undefined;
  }
}

/** Cut at a character's boundary, so that the whole stays within what an event keeps of one text. */
function bounded(text: string | undefined): string | undefined {
  if (text === undefined || Buffer.byteLength(text) <= MAX_TEXT_BYTES) {
    return text;
  }
  return Buffer.from(text)
    .subarray(0, MAX_TEXT_BYTES)
    .toString('utf8')
    .replace(/\ufffd+$/u, '');
}

function keyPath(directory: string, actorId: string): string {
  return join(directory, `${createHash('sha256').update(actorId).digest('hex')}.key`);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
