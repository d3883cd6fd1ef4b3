import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256 in base64url, as `jkt`, `ath` and `x5t#S256` have it. */
export function sha256(value: string | Uint8Array): string {
  return hash('sha256', value, 'base64url');
}

/** Compares without telling by its time where two texts differ. */
export function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
