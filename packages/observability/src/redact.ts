import { isCount, isSecretName } from './secret-names.ts';
import { isSuspect, KNOWN_TOKEN } from './secret-shapes.ts';

const MASK = '[Redacted]';

/** Names whose value is secret where they stand in text, at the end of a longer name too (`access_token`, `X-Api-Key`). */
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
  '(?:access|account|digest|encryption|hmac|master|private|secret|shared(?:[-_ ]?access)?|signing|subscription)[-_ ]?key',
  'client[-_ ]?assertion',
  'code[-_ ]?verifier',
  'session[-_ ]?id',
  'credential',
].join('|');
/** `tokens`, `token_1`, `password2` and `secretValue` are secret as well. */
const ENDING = String.raw`s?(?:[-_]?(?:value|raw|hash|plain|text|\d{1,3}))?`;

// Every pattern below is linear in the length of the text: none has two ways to match the same character.
const PEM_KEY =
  /-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)/g;
// RFC 7235 §2.1: an authentication scheme is followed by a token68.
const SCHEME = /\b(Bearer|Basic|DPoP|Negotiate)((?:\s|%20)+)[\w.~+/%-]+=*/gi;
// Not registered, but GitHub and Django REST framework use it; in prose no digit follows the word.
const TOKEN_SCHEME = /\bToken(\s+)(?=[\w.~+/-]{0,60}\d)[\w.~+/-]{12,}=*/g;
// RFC 7519: a JOSE header is a JSON object, so its base64url always starts with `eyJ`.
const JWT = /eyJ[\w.+/=-]{10,}/g;
/** Signatures and codes of signed URLs and of redirects (RFC 6749 §4.1.2). */
const QUERY_SECRET =
  /([?&;](?:amp;)?(?:x-amz-(?:signature|security-token|credential)|x-goog-(?:signature|credential)|signature|sig|code)=)(?!\[Redacted\])[^\s"'&,;)}\]<>]+/gi;
const BOT_TOKEN = /\b\d{8,10}:AA[\w-]{33}/g;
const URL_USER_INFO = /:\/\/[^\s/@?#]+@/g;

const ASSIGNMENT = String.raw`(\\*["']?\s*(?:=>|[:=]|%3A|%3D)(?!\s*\[Redacted\])\s*)`;
// A quoted value may be JSON inside JSON: it ends at a quote with as many backslashes as the opening one.
const QUOTED = String.raw`(\\*)"[\s\S]*?(?:(?<!\\)\3"|$)|'[^']*(?:'|$)`;
const SECRET_HEADER = new RegExp(String.raw`(authorization|cookie)${ASSIGNMENT}(?:${QUOTED}|[^\r\n]+)`, 'gi');
const SECRET_FIELD = new RegExp(
  String.raw`((?:${SECRET_NAMES})${ENDING})${ASSIGNMENT}(?:${QUOTED}|[^\s"'&,;)}\]]+)`,
  'gi',
);

/**
 * Masks what looks like a credential in `text`: `Bearer …` and `Basic …`, JWTs, private keys in PEM form, well-known token
 * formats, `user:password@` and signatures in URLs, and `key=value` or `"key": "value"` where the key names a secret. Pure and idempotent.
 */
export function redactText(text: string): string {
  if (!isSuspect(text)) {
    return text;
  }
  return text
    .replace(PEM_KEY, MASK)
    .replace(SCHEME, `$1$2${MASK}`)
    .replace(TOKEN_SCHEME, `Token$1${MASK}`)
    .replace(JWT, MASK)
    .replace(KNOWN_TOKEN, MASK)
    .replace(BOT_TOKEN, MASK)
    .replace(QUERY_SECRET, `$1${MASK}`)
    .replace(URL_USER_INFO, `://${MASK}@`)
    .replace(SECRET_HEADER, `$1$2${MASK}`)
    .replace(SECRET_FIELD, `$1$2${MASK}`);
}

/** Masks secrets in one JSON line: by field name at any depth, and by shape in every string. */
export function redactJsonLine(line: string): string {
  // Most lines have nothing to hide, and reading and writing JSON costs more than pino itself.
  if (!isSuspect(line)) {
    return line;
  }
  let record: unknown;
  try {
    record = parse(line);
  } catch {
    // Not JSON, so there are no fields to tell apart: masking the text is what is left.
    return redactText(line);
  }
  return `${JSON.stringify(redactValue(record))}\n`;
}

const LONG_NUMBER = /\d{16}|\d\.\d{16}|\de\d/iu;

/** Numbers that a double cannot hold stay the text they were. */
function parse(line: string): unknown {
  return LONG_NUMBER.test(line) ? JSON.parse(line, keepSource) : JSON.parse(line);
}

/** What ECMAScript has and the types do not say yet (proposal-json-parse-with-source). */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => object };

function keepSource(
  this: unknown,
  _name: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source
    ? rawJson(source)
    : value;
}

function redactValue(value: unknown): unknown {
  if (typeof value === 'string') {
    return redactText(value);
  }
  if (Array.isArray(value)) {
    return redactList(value);
  }
  if (typeof value !== 'object' || value === null || 'rawJSON' in value) {
    return value;
  }
  if ('type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data)) {
    // Nobody reads a list of bytes, and what is in them cannot be seen here.
    return `[${value.data.length} bytes]`;
  }
  const entries = Object.entries(value);
  const isSecretPair = entries.some(([name, item]) => PAIR_NAME.test(name) && isSecretHeader(item));
  return Object.fromEntries(
    entries.map(([name, item]) => [
      redactText(name),
      (isSecretPair && PAIR_VALUE.test(name)) || (isSecretName(name) && carriesSecret(name, item))
        ? MASK
        : redactValue(item),
    ]),
  );
}

/** `{ name: 'X-Api-Key', value: '…' }`, as headers and variables are listed. */
const PAIR_NAME = /^(?:name|key|header|field|variable)$/iu;
const PAIR_VALUE = /^(?:values?|val|content|text|data)$/iu;

/** Names and values that alternate, as in `['authorization', '…']` and in Node's `rawHeaders`. */
function redactList(list: readonly unknown[]): readonly unknown[] {
  const isPairs =
    list.length > 0 &&
    list.length % 2 === 0 &&
    list.every((item, index) => index % 2 === 1 || typeof item === 'string');
  return list.map((item, index) =>
    isPairs && index % 2 === 1 && isSecretHeader(list[index - 1]) ? MASK : redactValue(item),
  );
}

function isSecretHeader(name: unknown): boolean {
  return typeof name === 'string' && name.length < 100 && !/\s/u.test(name) && isSecretName(name);
}

/** `hasToken: true` and `password: null` say something without giving anything away. */
function carriesSecret(name: string, value: unknown): boolean {
  return value !== null && typeof value !== 'boolean' && !isCount(name, value);
}
