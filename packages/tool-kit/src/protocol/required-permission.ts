import type { Operation } from '../call/operation.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { JsonObject } from '../json.ts';
import { callTool, readResource, renderPrompt } from './operations.ts';

/**
 * The permission that a request will need, where that follows from the request alone, so that a transport can ask
 * for a better token before the call begins. `undefined` for a list, for an unknown target and for arguments that do
 * not parse: the call itself answers these. It decides nothing; the call is authorized again on what it parses.
 */
export function requiredPermission(catalog: Catalog, method: string, params: JsonObject): string | undefined {
  const operation = operationOf(catalog, method, params);
  if (operation === undefined) {
    return undefined;
  }
  const { permission } = operation;
  if (typeof permission === 'string') {
    return permission;
  }
  const parsed = operation.input.safeParse(operation.arguments);
  return parsed.success ? permission.select(parsed.data) : undefined;
}

function operationOf(catalog: Catalog, method: string, params: JsonObject): Question | undefined {
  const { name, uri, arguments: sent } = params;
  if (method === 'tools/call' && typeof name === 'string') {
    const tool = catalog.tools.get(name)?.definition;
    return tool && callTool(tool, sent);
  }
  if (method === 'prompts/get' && typeof name === 'string') {
    const prompt = catalog.prompts.get(name)?.definition;
    return prompt && renderPrompt(prompt, sent);
  }
  return method === 'resources/read' && typeof uri === 'string' ? readResource(catalog, uri) : undefined;
}

/** Of an operation, what its permission depends on. */
type Question = Pick<Operation<Record<string, unknown>, unknown>, 'permission' | 'input' | 'arguments'>;
