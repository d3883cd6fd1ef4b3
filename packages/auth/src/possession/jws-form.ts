const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Whether a compact JWS has the one spelling of its bytes: no padding, nothing but base64url, and no bits set after the last
 * byte (RFC 7515 §2, RFC 4648 §3.5). Parsers ignore these, so one token would have many names.
 */
export function isCanonicalJws(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 3 && parts.every(isCanonicalBase64url);
}

function isCanonicalBase64url(text: string): boolean {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) {
    return false;
  }
  const rest = text.length % 4;
  const last = ALPHABET.indexOf(text.at(-1) ?? 'A');
  return rest === 0 || (rest === 2 && last % 16 === 0) || (rest === 3 && last % 4 === 0);
}
