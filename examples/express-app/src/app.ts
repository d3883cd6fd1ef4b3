import { createMcpApp } from '@mcp-parts/server-kit/endpoint';
import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit';
import express from 'express';
import { z } from 'zod';

const listOffices = defineTool({
  name: 'list_offices',
  description: 'Lists the cities that have an office.',
  input: z.strictObject({}),
  output: z.object({ cities: z.array(z.string()) }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'offices:read',
  handle: async () => ({ cities: ['Lyon', 'Porto'] }),
});

/** An app with routes of its own, and an MCP endpoint for people who have one of the keys. */
export function createApp(nameOfKey: ReadonlyMap<string, string>) {
  const mcp = createMcpApp(createMethodTable(createCatalog({ tools: [listOffices] })), {
    serverInfo: { name: 'offices', version: '1.0.0' },
    authenticate({ headers }) {
      const name = nameOfKey.get(String(headers['x-api-key']));
      return name === undefined
        ? { refused: { status: 401, body: { error: 'unknown_key' } } }
        : { id: `keys#${name}`, kind: 'user', groups: [], permissions: ['offices:read'] };
    },
  });
  const app = express();
  app.get('/', (_request, response) => void response.send('Welcome.'));
  app.use(mcp.node);
  return { app, close: () => mcp.close() };
}
