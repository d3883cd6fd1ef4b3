import { createHmac } from 'node:crypto';

const MIN_KEY_BYTES = 32;

/** Makes keyed digests of arguments: equal values have equal digests, and nobody without the key can test a guess. */
export type Digest = (name: string, text: string) => string;

/**
 * Returns a digest function for a key: `hmac-sha256:<key id>:<digest in base64url>`. The name is part of what is
 * digested, so one value in two arguments has two digests. The key id changes with the key and tells nothing of it.
 * @throws {TypeError} when the key is not bytes
 * @throws {RangeError} when the key has fewer than 32 bytes
 */
export function createDigest(key: Uint8Array): Digest {
  if (!(key instanceof Uint8Array)) {
    throw new TypeError(`key must be bytes, got ${typeof key}`);
  }
  if (key.byteLength < MIN_KEY_BYTES) {
    throw new RangeError(`key must have at least ${MIN_KEY_BYTES} bytes, got ${key.byteLength}`);
  }
  const mac = (text: string) => createHmac('sha256', key).update(text).digest('base64url');
  const keyId = mac('key id').slice(0, 8);
  return (name, text) => `hmac-sha256:${keyId}:${mac(JSON.stringify([name, text]))}`;
}
