import { MASK, redactText } from './redact-text.ts';
import { isSecretHeader, redactTokens } from './redact-tokens.ts';
import { isCount, isSecretName, JWK_SECRETS } from './secret-names.ts';
import { hasSecretShape, nextSecretWord } from './secret-shapes.ts';

/**
 * Masks secrets in one JSON line: by field name at any depth, and by shape in every string.
 * @param start behind the members of the line that are known to be harmless, the same in every line
 */
export function redactJsonLine(line: string, start = 0): string {
  const rest = start === 0 ? line : line.slice(start);
  // In one piece, which a line just put together is not, and so faster to look through.
  const lower = rest.toLowerCase();
  const firstWord = nextSecretWord(lower, 0);
  const hasShape = hasSecretShape(rest, lower);
  // Most lines have nothing to hide.
  if (firstWord < 0 && !hasShape) {
    return line;
  }
  const redacted = redactTokens({ text: rest, lower, isWhole: start === 0, firstWord, hasShape });
  return redacted === undefined ? redactValues(line) : line.slice(0, start) + redacted;
}

/** The same by way of the values. */
export function redactValues(line: string): string {
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
  const isKey = 'kty' in value;
  const isSecretPair = entries.some(([name, item]) => PAIR_NAME.test(name) && isSecretHeader(item));
  return Object.fromEntries(
    entries.map(([name, item]) => [
      redactText(name),
      (isKey && JWK_SECRETS.has(name)) ||
      (isSecretPair && PAIR_VALUE.test(name)) ||
      (isSecretName(name) && carriesSecret(name, item))
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

/** `hasToken: true` and `password: null` say something without giving anything away. */
function carriesSecret(name: string, value: unknown): boolean {
  return value !== null && typeof value !== 'boolean' && !isCount(name, value);
}
