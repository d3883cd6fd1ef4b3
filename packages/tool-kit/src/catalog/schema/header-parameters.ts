import type { JsonObject, JsonValue } from '../../json.ts';

/** An argument that clients repeat in the HTTP header `Mcp-Param-…`, so that gateways can route by it. */
export interface HeaderParameter {
  /** The part of the header's name after `Mcp-Param-`. */
  readonly header: string;
  /** Where the argument stands, from the root of the arguments. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

const MARK = 'x-mcp-header';
// RFC 9110 §5.6.2.
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/u;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);

/**
 * Finds the properties of an input schema that carry `x-mcp-header` (2026-07-28, server/tools, "Header parameters").
 *
 * @throws {TypeError} for a mark that makes clients drop the tool: no token, used twice, on anything but a string,
 * an integer or a boolean, or where it is not reached by `properties` alone.
 */
export function headerParametersOf(what: string, schema: JsonObject): readonly HeaderParameter[] {
  const found: HeaderParameter[] = [];
  visit(schema, [], true);
  return found;

  function visit(node: JsonValue | undefined, path: readonly string[], isReachable: boolean): void {
    if (Array.isArray(node)) {
      for (const item of node as readonly JsonValue[]) {
        visit(item, path, false);
      }
      return;
    }
    if (typeof node !== 'object' || node === null) {
      return;
    }
    // Not an array, which was returned above.
    const members = node as JsonObject;
    if (members[MARK] !== undefined) {
      found.push(read(members, path, isReachable));
    }
    for (const [name, child] of Object.entries(members)) {
      if (name === 'properties' && typeof child === 'object' && child !== null) {
        for (const [property, inner] of Object.entries(child)) {
          visit(inner, [...path, property], isReachable);
        }
      } else if (name !== 'default' && name !== 'enum' && name !== 'const' && name !== 'examples') {
        visit(child, path, false);
      }
    }
  }

  function read(node: JsonObject, path: readonly string[], isReachable: boolean): HeaderParameter {
    const header = node[MARK];
    const where = `${what}: ${MARK} at ${path.length === 0 ? 'the root' : path.join('.')}`;
    if (!isReachable || path.length === 0) {
      throw new TypeError(`${where}: only a property that "properties" alone lead to can have it`);
    }
    if (typeof header !== 'string' || !TOKEN.test(header)) {
      throw new TypeError(`${where}: must be a token of RFC 9110, got ${JSON.stringify(header)}`);
    }
    if (!TYPES.has(node['type'])) {
      throw new TypeError(`${where}: only a string, an integer or a boolean can have it`);
    }
    if (found.some((other) => other.header.toLowerCase() === header.toLowerCase())) {
      throw new TypeError(`${where}: ${header} is used twice`);
    }
    // Just checked.
    return { header, path, type: node['type'] as HeaderParameter['type'] };
  }
}
