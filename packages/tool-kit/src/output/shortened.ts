import type { JsonObject, JsonValue } from '../json.ts';
import { isObject, nodesFor } from './schema-node.ts';

/** What was taken from one list, map or text, or from all under one name. */
export interface LeftOut {
  /** Where it stood, as `services` or `report.log`; empty for the value itself. */
  readonly name: string;
  readonly unit: 'entries' | 'characters';
  readonly count: number;
  readonly of: number;
}

/** A value that says less, under the same schema. */
export interface Shortened {
  readonly value: JsonValue;
  readonly leftOut: readonly LeftOut[];
}

/** What is no longer than that may be an id, and half an id is worse than none. */
const MIN_EXCERPT_BYTES = 240;
/** Several excerpts of a list say more than one entry at full length. */
const EXCERPTS_IN_A_LIST = 8;

/**
 * The same value in at most `maxBytes` of JSON: lists and maps end earlier, long texts are excerpts that say so. All are
 * cut at one size, so that what was short stays whole. What the schema counts (`minItems`), fixes (`enum`, `pattern`)
 * or lets several of its alternatives describe stays as it is. `undefined` when that is not enough.
 */
export function shortened(value: JsonValue, schema: JsonObject, maxBytes: number): Shortened | undefined {
  let best: Shortened | undefined;
  let low = 0;
  let high = maxBytes;
  while (low <= high) {
    const size = Math.floor((low + high) / 2);
    const attempt = new Cut(schema).at(value, size);
    if (sizeOf(attempt.value) <= maxBytes) {
      best = attempt;
      low = size + 1;
    } else {
      high = size - 1;
    }
  }
  return best;
}

/** The size of a value as JSON, in bytes. */
export function sizeOf(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** One walk through a value. */
class Cut {
  readonly #root: JsonObject;
  readonly #leftOut = new Map<string, LeftOut>();

  constructor(root: JsonObject) {
    this.#root = root;
  }

  at(value: JsonValue, size: number): Shortened {
    const cut = this.#value(value, this.#root, size, '');
    return { value: cut, leftOut: [...this.#leftOut.values()] };
  }

  #value(value: JsonValue, schema: JsonValue | undefined, size: number, name: string): JsonValue {
    const nodes = nodesFor(schema, value, this.#root);
    const [node] = nodes;
    if (node === undefined || nodes.length > 1) {
      return value;
    }
    if (typeof value === 'string') {
      return isFreeText(node) ? this.#text(value, node, size, name) : value;
    }
    if (Array.isArray(value)) {
      return this.#list(value, node, size, name);
    }
    return isObject(value) ? this.#object(value, node, size, name) : value;
  }

  #text(text: string, { minLength }: JsonObject, size: number, name: string): string {
    const most = Math.max(size, MIN_EXCERPT_BYTES);
    if (Buffer.byteLength(text) <= most) {
      return text;
    }
    const shown = excerpt(text, most, typeof minLength === 'number' ? minLength : 0);
    this.#leave(name, 'characters', text.length - shown.length, text.length);
    return shown;
  }

  #list(list: readonly JsonValue[], node: JsonObject, size: number, name: string): JsonValue {
    const { items, prefixItems, contains, minItems } = node;
    if (prefixItems !== undefined || contains !== undefined || items === false) {
      return list;
    }
    const least = typeof minItems === 'number' ? minItems : 0;
    const shown: JsonValue[] = [];
    let bytes = 2;
    for (const item of list) {
      const cut = this.#value(item, items ?? {}, Math.floor(size / EXCERPTS_IN_A_LIST), name);
      bytes += sizeOf(cut) + 1;
      if (bytes > size && shown.length >= least) {
        break;
      }
      shown.push(cut);
    }
    this.#leave(name, 'entries', list.length - shown.length, list.length);
    return shown;
  }

  #object(object: JsonObject, node: JsonObject, size: number, name: string): JsonValue {
    const { properties, additionalProperties: others, minProperties, patternProperties } = node;
    if (isObject(properties) || patternProperties !== undefined) {
      const schemas = isObject(properties) ? properties : {};
      return Object.fromEntries(
        Object.entries(object).map(([member, value]) => [
          member,
          value === undefined || !Object.hasOwn(schemas, member)
            ? value
            : this.#value(value, schemas[member], size, name === '' ? member : `${name}.${member}`),
        ]),
      );
    }
    if (node['required'] !== undefined || others === false) {
      return object;
    }
    const least = typeof minProperties === 'number' ? minProperties : 0;
    const entries = Object.entries(object);
    const shown: [string, JsonValue | undefined][] = [];
    let bytes = 2;
    for (const [member, value] of entries) {
      const cut = value && this.#value(value, others ?? {}, Math.floor(size / EXCERPTS_IN_A_LIST), name);
      bytes += sizeOf(member) + (cut === undefined ? 0 : sizeOf(cut)) + 2;
      if (bytes > size && shown.length >= least) {
        break;
      }
      shown.push([member, cut]);
    }
    this.#leave(name, 'entries', entries.length - shown.length, entries.length);
    return Object.fromEntries(shown);
  }

  #leave(name: string, unit: LeftOut['unit'], count: number, of: number): void {
    if (count > 0) {
      const key = `${unit} ${name}`;
      const known = this.#leftOut.get(key);
      this.#leftOut.set(key, { name, unit, count: (known?.count ?? 0) + count, of: (known?.of ?? 0) + of });
    }
  }
}

const FIXING = ['enum', 'const', 'pattern', 'format', 'contentEncoding', 'not', 'if'];

function isFreeText(node: JsonObject): boolean {
  const { type } = node;
  return (type === undefined || type === 'string') && FIXING.every((keyword) => node[keyword] === undefined);
}

/** The beginning of a text, in at most so many bytes but no fewer characters than `least`, and how much is missing. */
export function excerpt(text: string, maxBytes: number, least = 0): string {
  const room = maxBytes - Buffer.byteLength(markOf(text.length));
  // Whole characters: what a cut leaves of one is not decoded.
  const bytes = new TextEncoder().encode(text).subarray(0, Math.max(0, room));
  let shown = new TextDecoder().decode(bytes, { stream: true });
  if (shown.length < least) {
    shown = text.slice(0, least);
  }
  const cut = `${shown}${markOf(text.length - shown.length)}`;
  return cut.length < text.length ? cut : text;
}

function markOf(count: number): string {
  return ` […${count} more characters left out; ask for less at a time to see them]`;
}
