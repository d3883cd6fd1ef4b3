import { errors, jwtVerify } from 'jose';
import type { JWTVerifyOptions, JWTVerifyResult } from 'jose';

import type { KeySource } from './key-source.ts';

/** A token that names no key is checked with so many, at most: each costs as much as a token. */
const MAX_CANDIDATES = 16;

/**
 * Verifies a JWT with the key that it names. Where that is said by no id, or by one that several keys have (RFC 7517 §4.5
 * only advises against it), with each of them; and once more with keys that are new, where none fits.
 * @throws {Error} of jose; as `keyFor` does
 */
export async function verifySignature(
  token: string,
  keys: Pick<KeySource, 'keyFor' | 'lookAgain'>,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  try {
    return await verifyOnce(token, keys, options);
  } catch (error) {
    if (!(error instanceof errors.JWSSignatureVerificationFailed) || !(await keys.lookAgain())) {
      throw error;
    }
    return verifyOnce(token, keys, options);
  }
}

async function verifyOnce(
  token: string,
  { keyFor }: Pick<KeySource, 'keyFor'>,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keyFor, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) {
      throw error;
    }
    let tried = 0;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options);
      } catch (failure) {
        tried += 1;
        if (!(failure instanceof errors.JWSSignatureVerificationFailed) || tried >= MAX_CANDIDATES) {
          throw failure;
        }
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}
