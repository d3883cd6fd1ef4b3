import { toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';

import type { StartServer } from '../serve.ts';
import { dummies, echo, record, recordOf } from '../tools.ts';
import { listen } from './listen.ts';

/** The 2.x SDK's own handler. */
export const start: StartServer = () => {
  const serve = toNodeHandler(createMcpHandler(createSdkServer));
  return listen((request, response) => {
    // The SDK's type does not know that optional members of Node's type may be undefined.
    void serve(request as NodeIncomingMessageLike, response);
  });
};

function createSdkServer(): McpServer {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  const text = (value: string) => [{ type: 'text' as const, text: value }];
  server.registerTool(
    echo.name,
    { title: echo.title, description: echo.description, inputSchema: echo.input },
    ({ message }) => ({ content: text(message) }),
  );
  server.registerTool(
    record.name,
    {
      title: record.title,
      description: record.description,
      inputSchema: record.input,
      outputSchema: record.output,
    },
    ({ id }) => {
      const structuredContent = recordOf(id);
      return { content: text(JSON.stringify(structuredContent)), structuredContent };
    },
  );
  for (const { name, title, description, input } of dummies) {
    server.registerTool(name, { title, description, inputSchema: input }, () => ({ content: text(name) }));
  }
  return server;
}
