const MAX_STRING_LENGTH = 1024;
const MAX_DEPTH = 8;
const TRUNCATED = '…[truncated]';

// JSON.stringify escapes C0 controls only. DEL, C1, the line separators and the bidi controls can forge or
// reorder text in a terminal, an editor or a naive line reader.
const UNSAFE_CHARACTERS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Copies what JSON can hold, for `JSON.stringify` to encode without surprises: strings keep at most 1,024
 * characters, nesting at most 8 levels (which also ends a cycle), and functions such as `toJSON` are left out.
 */
export function boundedCopy(value: unknown): unknown {
  return copy(value, MAX_DEPTH);
}

/** `JSON.stringify` for one line of safe text; what it decodes to stays the same. */
export function safeJson(value: object): string {
  return JSON.stringify(value).replace(
    UNSAFE_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function copy(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return boundedText(value);
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    case 'object':
      if (value === null) {
        return null;
      }
      if (depth === 0) {
        return '[too deep]';
      }
      if (Array.isArray(value)) {
        return value.map((item) => copy(item, depth - 1));
      }
      return copyObject(value, depth - 1);
    case 'function':
    case 'symbol':
    case 'undefined':
      return undefined;
    default:
      return undefined;
  }
}

function copyObject(value: object, depth: number): object {
  const copied: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = boundedText(key);
    // To assign `__proto__` would set the prototype.
    if (name === '__proto__') {
      Object.defineProperty(copied, name, { value: copy(item, depth), enumerable: true });
    } else {
      copied[name] = copy(item, depth);
    }
  }
  return copied;
}

function boundedText(text: string): string {
  const kept = text.length > MAX_STRING_LENGTH ? text.slice(0, MAX_STRING_LENGTH) + TRUNCATED : text;
  // A lone surrogate has no UTF-8 form: the bytes on disk would not be the text that was hashed.
  return kept.toWellFormed();
}
