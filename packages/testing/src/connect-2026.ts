import { Client, LOG_LEVEL_META_KEY, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpHandler, type McpServer, type Server } from '@modelcontextprotocol/server';

import {
  capabilitiesOf,
  CLIENT_INFO,
  QUESTIONS,
  sdkOptions,
  type ClientOptions,
  type Connection,
  type TestQuestion,
} from './test-client.ts';

/**
 * Connects the client of `@modelcontextprotocol/client` 2.x, pinned to 2026-07-28, to servers of the same SDK:
 * one for each request, as that revision has no connections. Nothing is sent over the network.
 */
export async function connect2026(
  createServer: () => Server | McpServer,
  options: ClientOptions = {},
): Promise<Connection> {
  const handler = createMcpHandler(createServer, { legacy: 'reject' });
  const client = createClient(options);
  const wants = <Params extends object>(params: Params): Params => withLogLevel(params, options);
  const close = async () => {
    await client.close();
    await handler.close();
  };
  await client.connect(
    new StreamableHTTPClientTransport(new URL('http://mcp.test/'), {
      fetch: (url, init) => handler.fetch(new Request(url, init)),
    }),
  );
  return {
    client: {
      getServerVersion: () => client.getServerVersion(),
      getServerCapabilities: () => client.getServerCapabilities(),
      getInstructions: () => client.getInstructions(),
      listTools: () => client.listTools(),
      callTool: (params, request) => client.callTool(wants(params), sdkOptions(request)),
      listResources: () => client.listResources(),
      listResourceTemplates: () => client.listResourceTemplates(),
      readResource: (params, request) => client.readResource(wants(params), sdkOptions(request)),
      listPrompts: () => client.listPrompts(),
      getPrompt: (params, request) => client.getPrompt(wants(params), sdkOptions(request)),
      complete: (params, request) => client.complete(wants(params), sdkOptions(request)),
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createClient(options: ClientOptions): Client {
  const { onQuestion, onLog } = options;
  const capabilities = capabilitiesOf(options);
  const client = new Client(CLIENT_INFO, {
    capabilities,
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  });
  for (const [name, method] of Object.entries(QUESTIONS)) {
    if (onQuestion !== undefined && capabilities[name] !== undefined) {
      client.setRequestHandler(
        method,
        // A request of the SDK is JSON, and it checks the result.
        async (request) => (await onQuestion(request as unknown as TestQuestion)) as never,
      );
    }
  }
  if (onLog !== undefined) {
    client.setNotificationHandler('notifications/message', ({ params }) => onLog(params));
  }
  return client;
}

/** In this revision each request says which messages its client wants. */
function withLogLevel<Params extends object>(
  params: Params,
  { onLog, logLevel = 'info' }: ClientOptions,
): Params {
  return onLog === undefined
    ? params
    : {
        ...params,
        _meta: { ...('_meta' in params ? Object(params._meta) : {}), [LOG_LEVEL_META_KEY]: logLevel },
      };
}
