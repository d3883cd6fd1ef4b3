import { createHash } from 'node:crypto';

/**
 * A name in Redis for something that may say who a person is, such as the id of a caller: whoever reads the keys reads no
 * names. 22 characters, the same on every replica.
 */
export function hashed(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
