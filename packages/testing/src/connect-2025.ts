import type { CallToolResult, ListToolsResult, ServerCapabilities } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  type ClientResult,
} from '@modelcontextprotocol/sdk/types.js';

import {
  capabilitiesOf,
  CLIENT_INFO,
  sdkOptions,
  type ClientOptions,
  type Connection,
  type TestQuestion,
} from './test-client.ts';

/** Connects the client of `@modelcontextprotocol/sdk` 1.x to a server of the same SDK, in memory. */
export async function connect2025(
  server: Server | McpServer,
  options: ClientOptions = {},
): Promise<Connection> {
  const client = createClient(options);
  const [clientEnd, serverEnd] = InMemoryTransport.createLinkedPair();
  await server.connect(serverEnd);
  await client.connect(clientEnd);
  if (options.onLog !== undefined) {
    await client.setLoggingLevel(options.logLevel ?? 'info');
  }
  const close = async () => {
    await client.close();
    await server.close();
  };
  // Where it says `as`, the two SDKs give different types to the same JSON.
  return {
    client: {
      getServerVersion: () => client.getServerVersion(),
      getServerCapabilities: () => client.getServerCapabilities() as ServerCapabilities | undefined,
      getInstructions: () => client.getInstructions(),
      listTools: async () => (await client.listTools()) as ListToolsResult,
      callTool: async (params, options) =>
        (await client.callTool(params, undefined, sdkOptions(options))) as CallToolResult,
      listResources: () => client.listResources(),
      listResourceTemplates: () => client.listResourceTemplates(),
      readResource: (params, options) => client.readResource(params, sdkOptions(options)),
      listPrompts: () => client.listPrompts(),
      getPrompt: (params, options) => client.getPrompt(params, sdkOptions(options)),
      complete: (params, options) => client.complete(params, sdkOptions(options)),
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const QUESTION_SCHEMAS = {
  elicitation: ElicitRequestSchema,
  sampling: CreateMessageRequestSchema,
  roots: ListRootsRequestSchema,
} as const;

function createClient(options: ClientOptions): Client {
  const { onQuestion, onLog } = options;
  const capabilities = capabilitiesOf(options);
  const client = new Client(CLIENT_INFO, { capabilities });
  for (const [name, schema] of Object.entries(QUESTION_SCHEMAS)) {
    if (onQuestion !== undefined && capabilities[name] !== undefined) {
      client.setRequestHandler(
        schema,
        // A request of the SDK is JSON, and it checks the result.
        async (request) => (await onQuestion(request as unknown as TestQuestion)) as unknown as ClientResult,
      );
    }
  }
  if (onLog !== undefined) {
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => onLog(params));
  }
  return client;
}
