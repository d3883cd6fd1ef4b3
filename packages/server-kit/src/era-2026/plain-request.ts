import { REVISION } from '@mcp-parts/tool-kit/sdk-2026';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  RELATED_TASK_META_KEY,
} from '@modelcontextprotocol/server';

import { headerOf, type RequestFacts } from '../wire/exchange.ts';
import { isObject, type Message } from '../wire/message.ts';

/**
 * Whether a message is so plainly a request of this revision that the SDK cannot see it otherwise. It would parse it
 * five times to find out, which costs more than the call; whatever looks unusual is left to it.
 */
export function isPlainRequest(message: Message, facts: Pick<RequestFacts, 'headers'>): boolean {
  if (message.kind !== 'request' || message.method === 'initialize') {
    return false;
  }
  const meta = message.params?.['_meta'];
  return (
    isObject(meta) &&
    meta[PROTOCOL_VERSION_META_KEY] === REVISION &&
    meta[LOG_LEVEL_META_KEY] === undefined &&
    meta[RELATED_TASK_META_KEY] === undefined &&
    headerOf(facts, 'mcp-protocol-version') === REVISION &&
    headerOf(facts, 'mcp-method') === message.method &&
    isPlainClient(meta[CLIENT_INFO_META_KEY]) &&
    isPlainlyCapable(meta[CLIENT_CAPABILITIES_META_KEY])
  );
}

/**
 * Whether a message is so plainly a request of an earlier revision that the SDK cannot see it otherwise: it has nothing of an
 * envelope, and names no later revision.
 */
export function isPlainEarlierRequest(message: Message, facts: Pick<RequestFacts, 'headers'>): boolean {
  if (message.kind !== 'request' || message.method === 'initialize') {
    return false;
  }
  const version = headerOf(facts, 'mcp-protocol-version');
  if (version !== undefined && !(VERSION.test(version) && version < REVISION)) {
    return false;
  }
  const meta = message.params?.['_meta'];
  return (
    meta === undefined ||
    (isObject(meta) && !(PROTOCOL_VERSION_META_KEY in meta) && meta[RELATED_TASK_META_KEY] === undefined)
  );
}

const VERSION = /^\d{4}-\d{2}-\d{2}$/u;
const CLIENT_TEXTS: ReadonlySet<string> = new Set(['name', 'version', 'title', 'description', 'websiteUrl']);

function isPlainClient(client: unknown): boolean {
  if (client === undefined) {
    return true;
  }
  return (
    isObject(client) &&
    typeof client['name'] === 'string' &&
    typeof client['version'] === 'string' &&
    everyMember(client, (name, value) => CLIENT_TEXTS.has(name) && typeof value === 'string')
  );
}

/** Those that have nothing but names, under which objects may stand. */
const NAMES_ONLY: ReadonlySet<string> = new Set(['sampling', 'elicitation', 'extensions', 'experimental']);

function isPlainlyCapable(capabilities: unknown): boolean {
  return (
    isObject(capabilities) &&
    everyMember(
      capabilities,
      (name, value) =>
        NAMES_ONLY.has(name) && isObject(value) && everyMember(value, (_, inner) => isEmpty(inner)),
    )
  );
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && everyMember(value, () => false);
}

/** Without a list of the members, as it is asked for every request. */
function everyMember(object: object, check: (name: string, value: unknown) => boolean): boolean {
  for (const name in object) {
    // What was parsed from JSON inherits nothing that can be listed.
    if (!check(name, (object as Readonly<Record<string, unknown>>)[name])) {
      return false;
    }
  }
  return true;
}
