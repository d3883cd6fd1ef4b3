const MASK = '[Redacted]';

/** Field names whose value is secret, at the end of a longer name too (`access_token`, `X-Api-Key`). */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'passwd',
  'password',
  'passphrase',
  'pwd',
  'secret',
  'token',
  'api[-_ ]?key',
  'access[-_ ]?key',
  'private[-_ ]?key',
  'secret[-_ ]?key',
  'signing[-_ ]?key',
  'client[-_ ]?assertion',
  'code[-_ ]?verifier',
  'credentials?',
].join('|');

const SECRET_NAME = new RegExp(`(?:${SECRET_NAMES})$`, 'i');

// Every pattern below is linear in the length of the text: none has two ways to match the same character.
const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
// RFC 7235 §2.1: an authentication scheme is followed by a token68.
const SCHEME = /\b(Bearer|Basic|DPoP|Negotiate)((?:\s|%20)+)[\w.~+/%-]+=*/gi;
// RFC 7519: a JOSE header is a JSON object, so its base64url always starts with `eyJ`.
const JWT = /eyJ[\w.+/=-]{10,}/g;
const KNOWN_TOKEN = /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|AKIA)[\w-]{16,}/g;
const URL_USER_INFO = /:\/\/[^\s/@?#]+@/g;

const ASSIGNMENT = String.raw`(\\*["']?\s*(?:=>|[:=]|%3A|%3D)(?!\s*\[Redacted\])\s*)`;
// A quoted value may be JSON inside JSON: it ends at a quote with as many backslashes as the opening one.
const QUOTED = String.raw`(\\*)"[\s\S]*?(?:(?<!\\)\3"|$)|'[^']*(?:'|$)`;
const SECRET_HEADER = new RegExp(String.raw`(authorization|cookie)${ASSIGNMENT}(?:${QUOTED}|[^\r\n]+)`, 'gi');
const SECRET_FIELD = new RegExp(
  String.raw`(${SECRET_NAMES})${ASSIGNMENT}(?:${QUOTED}|[^\s"'&,;)}\]]+)`,
  'gi',
);

/**
 * Masks what looks like a credential in `text`: `Bearer …` and `Basic …`, JWTs, private keys in PEM form, well-known token
 * formats, `user:password@` in URLs, and `key=value` or `"key": "value"` where the key names a secret. Pure and idempotent.
 */
export function redactText(text: string): string {
  return text
    .replace(PEM_KEY, MASK)
    .replace(SCHEME, `$1$2${MASK}`)
    .replace(JWT, MASK)
    .replace(KNOWN_TOKEN, MASK)
    .replace(URL_USER_INFO, `://${MASK}@`)
    .replace(SECRET_HEADER, `$1$2${MASK}`)
    .replace(SECRET_FIELD, `$1$2${MASK}`);
}

/** Masks secrets in one JSON line: by field name at any depth, and by shape in every string. */
export function redactJsonLine(line: string): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    // Not JSON, so there are no fields to tell apart: masking the text is what is left.
    return redactText(line);
  }
  return `${JSON.stringify(redactValue(record))}\n`;
}

function redactValue(value: unknown): unknown {
  if (typeof value === 'string') {
    return redactText(value);
  }
  if (Array.isArray(value)) {
    return value.map(redactValue);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redactText(name),
      SECRET_NAME.test(name) && carriesSecret(item) ? MASK : redactValue(item),
    ]),
  );
}

/** `hasToken: true` and `password: null` say something without giving anything away. */
function carriesSecret(value: unknown): boolean {
  return value !== null && typeof value !== 'boolean';
}
