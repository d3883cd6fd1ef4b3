import { createHmac, randomBytes } from 'node:crypto';

import { checkWhole } from '../check-number.ts';
import { isSameText } from './digest.ts';

/** Which nonces are good. */
export interface DpopNonceOptions {
  /** Signs them, 32 bytes at least; replicas need the same one. @default random, and so another for each process */
  readonly secret?: string | Uint8Array | undefined;
  /** How long one is good, in whole seconds, 10 to 3_600. @default 300 */
  readonly lifetimeSeconds?: number | undefined;
}

/** Nonces that this server gave out, without remembering them: each is a time and a signature of it. */
export interface DpopNonces {
  /** A new one. */
  readonly issue: () => string;
  /** Whether it is ours and not too old. */
  readonly isGood: (nonce: string) => boolean;
}

/**
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
function resolveDpopNonceOptions(options: DpopNonceOptions) {
  const { secret = randomBytes(32), lifetimeSeconds = 300 } = options;
  if (Buffer.byteLength(secret) < 32) {
    throw new TypeError('nonces.secret must have 32 bytes at least');
  }
  checkWhole('nonces.lifetimeSeconds', lifetimeSeconds, 10, 3_600);
  return { secret, lifetimeSeconds };
}

/**
 * Creates nonces for DPoP proofs (RFC 9449 §8). Any of them is good for any client: that each proof is used once is for the
 * replay store to see.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
export function createDpopNonces(options: DpopNonceOptions, now: () => number): DpopNonces {
  const { secret, lifetimeSeconds } = resolveDpopNonceOptions(options);
  const nonceOf = (seconds: number): string => {
    const time = seconds.toString(36);
    const signature = createHmac('sha256', secret).update(`dpop-nonce ${time}`).digest('base64url');
    return `${time}.${signature.slice(0, 32)}`;
  };
  return {
    issue: () => nonceOf(Math.floor(now() / 1000)),
    isGood(nonce) {
      const [, time = ''] = /^([0-9a-z]{1,9})\.[A-Za-z0-9_-]{32}$/.exec(nonce) ?? [];
      const seconds = Number.parseInt(time, 36);
      const age = Math.floor(now() / 1000) - seconds;
      // Replicas do not have quite the same time.
      return isSameText(nonce, nonceOf(seconds)) && age >= -60 && age <= lifetimeSeconds;
    },
  };
}
