import { randomUUID } from 'node:crypto';

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

import type { StartServer } from '../serve.ts';
import { dummies, echo, record, recordOf } from '../tools.ts';
import { listen, readJson } from './listen.ts';

/** A server of the 1.x SDK with the tools of every contender. */
export function createSdkServer(): McpServer {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  const text = (value: string) => [{ type: 'text' as const, text: value }];
  server.registerTool(
    echo.name,
    { title: echo.title, description: echo.description, inputSchema: echo.input.shape },
    ({ message }) => ({ content: text(message) }),
  );
  server.registerTool(
    record.name,
    {
      title: record.title,
      description: record.description,
      inputSchema: record.input.shape,
      outputSchema: record.output.shape,
    },
    ({ id }) => {
      const structuredContent = recordOf(id);
      return { content: text(JSON.stringify(structuredContent)), structuredContent };
    },
  );
  for (const { name, title, description, input } of dummies) {
    server.registerTool(name, { title, description, inputSchema: input.shape }, () => ({
      content: text(name),
    }));
  }
  return server;
}

/** A server and a transport for each session, as the SDK's example has it. */
export const startWithSessions: StartServer = () => {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  return listen((request, response) => {
    void (async () => {
      const body = request.method === 'POST' ? await readJson(request) : undefined;
      const known = transports.get(String(request.headers['mcp-session-id']));
      if (known !== undefined) {
        await known.handleRequest(request, response, body);
        return;
      }
      const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => {
          transports.set(id, transport);
        },
        onsessionclosed: (id) => {
          transports.delete(id);
        },
      });
      await createSdkServer().connect(transport);
      await transport.handleRequest(request, response, body);
    })();
  });
};

/** A server and a transport for each request, as the SDK's example has it. */
export const startStateless: StartServer = () =>
  listen((request, response) => {
    void (async () => {
      const body = await readJson(request);
      const server = createSdkServer();
      const transport = new StreamableHTTPServerTransport({});
      response.on('close', () => {
        void transport.close();
        void server.close();
      });
      await server.connect(transport);
      await transport.handleRequest(request, response, body);
    })();
  });
