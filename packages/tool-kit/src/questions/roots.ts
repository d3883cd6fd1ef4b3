import type { Question } from '../exchange/question.ts';
import type { JsonObject, JsonValue } from '../json.ts';

/** A folder or file that the client works in. It is a hint, and gives no right to anything. */
export interface Root {
  /** A `file:` URI. */
  readonly uri: string;
  readonly name?: string | undefined;
}

/** Asks the client in which folders it works. */
export function roots(): Question<readonly Root[]> {
  return {
    method: 'roots/list',
    params: {},
    capability: { roots: {} },
    read({ roots: listed }) {
      const found = Array.isArray(listed) ? (listed as readonly JsonValue[]).map(rootOf) : [undefined];
      return found.every((root) => root !== undefined)
        ? { ok: true, answer: { outcome: 'accepted', value: found } }
        : { ok: false, problem: 'it is no list of roots' };
    },
  };
}

function rootOf(value: JsonValue): Root | undefined {
  const { uri, name } = typeof value === 'object' && value !== null ? (value as JsonObject) : {};
  return typeof uri === 'string' ? { uri, ...(typeof name === 'string' && { name }) } : undefined;
}
