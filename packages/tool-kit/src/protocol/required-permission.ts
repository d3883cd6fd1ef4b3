import type { Operation } from '../call/operation.ts';
import { readOf, type Catalog } from '../catalog/catalog.ts';
import type { Permission } from '../definition/permission.ts';
import type { JsonObject } from '../json.ts';

/**
 * The permission that a request will need, where that follows from the request alone, so that a transport can ask
 * for a better token before the call begins. `undefined` for a list, for an unknown target and for arguments that do
 * not parse: the call itself answers these. It decides nothing; the call is authorized again on what it parses. Where
 * there is a table, its `prepare` does both at once.
 */
export function requiredPermission(catalog: Catalog, method: string, params: JsonObject): string | undefined {
  const asked = questionOf(catalog, method, params);
  if (asked === undefined) {
    return undefined;
  }
  const { permission } = asked.definition;
  if (typeof permission === 'string') {
    return permission;
  }
  const parsed = asked.operation.parse(asked.sent);
  // The operation's parser is made of the definition's schema.
  return parsed.ok ? permission.select(parsed.input as unknown as Record<string, unknown>) : undefined;
}

/** What the permission depends on. */
interface Question {
  readonly definition: { readonly permission: Permission<Record<string, unknown>> };
  readonly operation: Operation;
  readonly sent: unknown;
}

function questionOf(catalog: Catalog, method: string, params: JsonObject): Question | undefined {
  const { name, uri, arguments: sent } = params;
  if (method === 'tools/call' && typeof name === 'string') {
    const tool = catalog.tools.get(name);
    return tool && { ...tool, operation: tool.call, sent };
  }
  if (method === 'prompts/get' && typeof name === 'string') {
    const prompt = catalog.prompts.get(name);
    return prompt && { ...prompt, operation: prompt.get, sent };
  }
  const read = method === 'resources/read' && typeof uri === 'string' ? readOf(catalog, uri) : undefined;
  return read && { ...read.resource, operation: read.resource.read, sent: read.parameters };
}
