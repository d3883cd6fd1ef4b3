/** Deeper than any schema, and far from what recursion in a library survives. */
const MAX_DEPTH = 100;

/** Why a text is no JSON document that may be used. */
export type JsonProblem = 'syntax' | 'too_deep' | 'prototype';

/** A JSON document, or why it is none that may be used. */
export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: JsonProblem };

/** Parses what a client sent. A byte order mark is no part of it (RFC 8259 §8.1). */
export function parseJson(text: string): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return { ok: false, reason: 'syntax' };
  }
  const problem = inspectJson(value);
  return problem === undefined ? { ok: true, value } : { ok: false, reason: problem };
}

/**
 * What forbids to use a value from outside: members that libraries which copy objects would take for a prototype, and
 * more levels than they can climb.
 */
export function inspectJson(value: unknown): 'too_deep' | 'prototype' | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      return 'too_deep';
    }
    const next: object[] = [];
    for (const node of level) {
      if (!Array.isArray(node) && Object.hasOwn(node, '__proto__')) {
        return 'prototype';
      }
      for (const child of Array.isArray(node) ? (node as unknown[]) : Object.values(node)) {
        if (typeof child === 'object' && child !== null) {
          next.push(child);
        }
      }
    }
    level = next;
  }
  return undefined;
}
