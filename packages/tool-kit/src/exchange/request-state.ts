import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

import { digestOf } from './digest.ts';

/** The call that a state belongs to; it is worth nothing for any other. */
export interface StateBinding {
  readonly callerId: string;
  readonly method: string;
  readonly target: string;
  /** As sent. */
  readonly arguments: unknown;
}

/** Seals what a client keeps for the server between the rounds of a call: it can neither read nor change it. */
export interface StateSeal {
  readonly seal: (content: unknown, binding: StateBinding, expiresAt: number) => string;
  /** The content; why there is none where it is not ours, belongs to another call, or is too old. */
  readonly open: (
    text: string,
    binding: StateBinding,
  ) => { readonly ok: true; readonly content: unknown } | { readonly ok: false; readonly isExpired: boolean };
}

const CIPHER = 'aes-256-gcm';
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const LABEL = 'mcp-parts request state 1';
const REFUSED = { ok: false, isExpired: false } as const;

/**
 * @param key At least 32 bytes; the same in every process that goes on with the others' calls.
 * @throws {RangeError} for a shorter key.
 */
export function createStateSeal(key: Uint8Array, now: () => number = Date.now): StateSeal {
  if (key.length < KEY_BYTES) {
    throw new RangeError(`requestStateKey must have at least ${KEY_BYTES} bytes, got ${key.length}`);
  }

  /** A key for one state only, so that the number of states under one key has no limit. */
  function keysOf(salt: Uint8Array): { readonly key: Buffer; readonly iv: Buffer } {
    const derived = Buffer.from(hkdfSync('sha256', key, salt, LABEL, KEY_BYTES + IV_BYTES));
    return { key: derived.subarray(0, KEY_BYTES), iv: derived.subarray(KEY_BYTES) };
  }

  return {
    seal(content, binding, expiresAt) {
      const salt = randomBytes(SALT_BYTES);
      const keys = keysOf(salt);
      const cipher = createCipheriv(CIPHER, keys.key, keys.iv).setAAD(digestOf(binding));
      const sealed = [cipher.update(JSON.stringify({ content, expiresAt }), 'utf8'), cipher.final()];
      return Buffer.concat([salt, ...sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open(text, binding) {
      const bytes = Buffer.from(text, 'base64url');
      // Texts that differ can stand for the same bytes; only one of them is what was given out.
      if (bytes.length < SALT_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) {
        return REFUSED;
      }
      const keys = keysOf(bytes.subarray(0, SALT_BYTES));
      const decipher = createDecipheriv(CIPHER, keys.key, keys.iv, { authTagLength: TAG_BYTES })
        .setAAD(digestOf(binding))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      let plain: string;
      try {
        plain = `${decipher.update(bytes.subarray(SALT_BYTES, -TAG_BYTES), undefined, 'utf8')}${decipher.final('utf8')}`;
      } catch {
        // It was changed, or is of another call or another key: which of these is nobody's business.
        return REFUSED;
      }
      // What opens was sealed above.
      const { content, expiresAt } = JSON.parse(plain) as {
        readonly content: unknown;
        readonly expiresAt: number;
      };
      return now() < expiresAt ? { ok: true, content } : { ok: false, isExpired: true };
    },
  };
}
