import { JWK_SECRETS } from './secret-names.ts';
import { isSuspect, KNOWN_TOKEN } from './secret-shapes.ts';

/** What stands in place of a secret. */
export const MASK = '[Redacted]';

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
/** What follows a scheme in a sentence, or in a challenge (RFC 9110 §11.6.1): `a bearer token.`, `Bearer error="…"`. */
const NO_CREDENTIAL = String.raw`(?:tokens?|proofs?|schemes?|scopes|auth|authentication|but)[.,;:)]*(?:["'\s]|$)|(?:realm|error|scope|algs|resource_metadata)="`;
// RFC 9110 §11.4: an authentication scheme is followed by a token68.
const SCHEME = new RegExp(
  String.raw`\b(Bearer|Basic|DPoP|Negotiate)((?:\s|%20)+)(?!${NO_CREDENTIAL})[\w.~+/%-]+=*`,
  'gi',
);
// Not registered, but GitHub, Django REST framework and Elasticsearch use them; in prose no digit follows the word.
const TOKEN_SCHEME = /\b(Token|ApiKey)(\s+)(?=[\w.~+/-]{0,60}\d)[\w.~+/-]{12,}=*/g;
// RFC 7519: a JOSE header is a JSON object, so its base64url always starts with `eyJ`.
const JWT = /eyJ[\w.+/=-]{10,}/g;
/** Signatures and codes of signed URLs and of redirects (RFC 6749 §4.1.2). */
const QUERY_SECRET =
  /([?&;](?:amp;)?(?:x-amz-(?:signature|security-token|credential)|x-goog-(?:signature|credential)|signature|sig|code)=)(?!\[Redacted\])[^\s"'&,;)}\]<>]+/gi;
/** The same in a URL that is part of another, and in JSON that escapes `&`: there the value ends at the next of these. */
const ESCAPED_QUERY_SECRET =
  /((?:%3F|%26|%3B|\\u0026)(?:amp;)?(?:x-amz-(?:signature|security-token|credential)|x-goog-(?:signature|credential)|signature|sig|code)(?:=|%3D|\\u003d))(?!\[Redacted\])(?:(?!%26|\\u0026)[^\s"'&,;)}\]<>])+/gi;
/** In a text with a key in JSON, or as Node shows one. */
const JWK = /\bkty\b/;
const JWK_MEMBER = new RegExp(
  String.raw`\b((?:${[...JWK_SECRETS].join('|')})\\*["']?\s*[:=]\s*\\*["'])[\w-]{8,}`,
  'g',
);
const BOT_TOKEN = /\b\d{8,10}:AA[\w-]{33}/g;
const URL_USER_INFO = /:\/\/[^\s/@?#]+@/g;
/** The same in a URL that is part of another, and in JSON that escapes slashes. */
const ESCAPED_USER_INFO = /(%3A%2F%2F)(?:(?!%2F|%3F|%23|%40)[^\s/@?#&"'])+%40|(:\\+\/\\+\/)[^\s/@?#"\\]+@/gi;

const ASSIGNMENT = String.raw`(\\*["']?\s*(?:=>|[:=]|%3A|%3D)(?!\s*\[Redacted\])\s*)`;
// A quoted value may be JSON inside JSON: it ends at a quote with as many backslashes as the opening one.
const QUOTED = String.raw`(\\*)"[\s\S]*?(?:(?<!\\)\3"|$)|'[^']*(?:'|$)`;
const SECRET_HEADER = new RegExp(String.raw`(authorization|cookie)${ASSIGNMENT}(?:${QUOTED}|[^\r\n]+)`, 'gi');
const SECRET_FIELD = new RegExp(
  String.raw`((?:${SECRET_NAMES})${ENDING})${ASSIGNMENT}(?:${QUOTED}|[^\s"'&,;)}\]]+)`,
  'gi',
);
/** An option of a command line with its value behind it: `--password x`. */
const SECRET_OPTION = new RegExp(
  String.raw`(--[\w-]{0,40}?(?:${SECRET_NAMES})${ENDING}\s+)(?![-[])[^\s"']+`,
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
  return (JWK.test(text) ? text.replace(JWK_MEMBER, `$1${MASK}`) : text)
    .replace(PEM_KEY, MASK)
    .replace(SCHEME, `$1$2${MASK}`)
    .replace(TOKEN_SCHEME, `$1$2${MASK}`)
    .replace(JWT, MASK)
    .replace(KNOWN_TOKEN, MASK)
    .replace(BOT_TOKEN, MASK)
    .replace(ESCAPED_QUERY_SECRET, `$1${MASK}`)
    .replace(QUERY_SECRET, `$1${MASK}`)
    .replace(URL_USER_INFO, `://${MASK}@`)
    .replace(ESCAPED_USER_INFO, `$1$2${MASK}@`)
    .replace(SECRET_HEADER, `$1$2${MASK}`)
    .replace(SECRET_FIELD, `$1$2${MASK}`)
    .replace(SECRET_OPTION, `$1${MASK}`);
}
