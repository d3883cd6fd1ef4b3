import type { JsonObject, JsonValue } from '@mcp-parts/tool-kit';

import { isObject } from '../wire/message.ts';

/** What is wrong with the params of an `initialize`, for its client; the SDK would answer with a list of issues. */
export function initializeProblem(params: JsonObject | undefined): string | undefined {
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  if (typeof protocolVersion !== 'string') {
    return 'initialize: "protocolVersion" must be a string.';
  }
  if (!isObject(capabilities)) {
    return 'initialize: "capabilities" must be an object.';
  }
  const wrong = Object.entries(capabilities).find(([, value]) => !isObject(value));
  if (wrong !== undefined) {
    return `initialize: every capability must be an object.`;
  }
  if (
    !isObject(clientInfo) ||
    typeof clientInfo['name'] !== 'string' ||
    typeof clientInfo['version'] !== 'string'
  ) {
    return 'initialize: "clientInfo" must have a "name" and a "version".';
  }
  return undefined;
}

const MAX_TEXT = 256;
const MAX_CAPABILITIES_LENGTH = 2_048;

/** The params with what a server keeps of them for the life of a session cut to a length. */
export function boundedInitialize(params: JsonObject): JsonObject {
  const { protocolVersion, capabilities, clientInfo } = params;
  const info = isObject(clientInfo) ? clientInfo : {};
  const cut = (value: JsonValue | undefined) => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : '');
  const kept =
    JSON.stringify(capabilities).length <= MAX_CAPABILITIES_LENGTH
      ? capabilities
      : Object.fromEntries(
          Object.keys(isObject(capabilities) ? capabilities : {})
            .filter((name) => name.length <= 32)
            .slice(0, 16)
            .map((name) => [name, {}]),
        );
  return {
    protocolVersion: cut(protocolVersion),
    ...(kept !== undefined && { capabilities: kept }),
    clientInfo: { name: cut(info['name']), version: cut(info['version']) },
  };
}
