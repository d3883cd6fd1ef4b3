import { Client as Client2026 } from '@modelcontextprotocol/client';
import { StreamableHTTPClientTransport as Http2026 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2026 } from '@modelcontextprotocol/client/stdio';
import { Client as Client2025 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio2025 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http2025 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** A real client that writes down what it hears. */
export interface ListeningClient extends AsyncDisposable {
  /** Lists by their names, resources by their URIs. */
  readonly heard: string[];
  readonly tools: () => Promise<readonly string[]>;
  readonly call: (name: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown>;
  /** Whether the server lets it. */
  readonly watch: (uri: string) => Promise<boolean>;
  readonly unwatch: (uri: string) => Promise<void>;
}

/** Where its server is. */
export type Place = { readonly url: string; readonly key: string } | { readonly args: readonly string[] };

const info = { name: 'listening', version: '1.0.0' };

/** Connects the client of the SDK of an era, and listens to all lists. */
export function listenAs(era: '2025' | '2026', place: Place): Promise<ListeningClient> {
  return era === '2025' ? listen2025(place) : listen2026(place);
}

function httpOptions(key: string) {
  return { requestInit: { headers: { 'x-api-key': key } } };
}

async function listen2025(place: Place): Promise<ListeningClient> {
  const heard: string[] = [];
  const client = new Client2025(info);
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools'));
  client.setNotificationHandler(PromptListChangedNotificationSchema, () => void heard.push('prompts'));
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void heard.push('resources'));
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void heard.push(params.uri),
  );
  const http = 'url' in place ? new Http2025(new URL(place.url), httpOptions(place.key)) : undefined;
  const transport =
    'url' in place
      ? http
      : new Stdio2025({ command: process.execPath, args: [...place.args], stderr: 'inherit' });
  await client.connect(transport as Transport);
  return {
    heard,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args = {}) => client.callTool({ name, arguments: args }),
    watch: (uri) =>
      client.subscribeResource({ uri }).then(
        () => true,
        () => false,
      ),
    unwatch: async (uri) => void (await client.unsubscribeResource({ uri })),
    async [Symbol.asyncDispose]() {
      await http?.terminateSession();
      await client.close();
    },
  };
}

async function listen2026(place: Place): Promise<ListeningClient> {
  const heard: string[] = [];
  const client = new Client2026(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
  client.setNotificationHandler('notifications/prompts/list_changed', () => void heard.push('prompts'));
  client.setNotificationHandler('notifications/resources/list_changed', () => void heard.push('resources'));
  client.setNotificationHandler(
    'notifications/resources/updated',
    ({ params }) => void heard.push(params.uri),
  );
  await client.connect(
    'url' in place
      ? new Http2026(new URL(place.url), httpOptions(place.key))
      : new Stdio2026({ command: process.execPath, args: [...place.args], stderr: 'inherit' }),
  );
  const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
  await client.listen(lists);
  const watched = new Map<string, { readonly close: () => Promise<void> }>();
  return {
    heard,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args = {}) => client.callTool({ name, arguments: args }),
    async watch(uri) {
      const subscription = await client.listen({ resourceSubscriptions: [uri] });
      watched.set(uri, subscription);
      return subscription.honoredFilter.resourceSubscriptions?.includes(uri) === true;
    },
    unwatch: async (uri) => watched.get(uri)?.close(),
    [Symbol.asyncDispose]: () => client.close(),
  };
}
