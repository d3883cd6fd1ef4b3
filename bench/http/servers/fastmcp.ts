import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { FastMCP } from 'fastmcp';

import type { StartServer } from '../serve.ts';
import { dummies, echo, record, recordOf } from '../tools.ts';

/** The framework with its own HTTP server, with sessions. */
export const start: StartServer = async () => {
  const server = new FastMCP({ name: 'bench', version: '1.0.0' });
  server.addTool({
    name: echo.name,
    description: echo.description,
    parameters: echo.input,
    annotations: { title: echo.title },
    execute: ({ message }) => Promise.resolve(message),
  });
  server.addTool({
    name: record.name,
    description: record.description,
    parameters: record.input,
    outputSchema: record.output,
    annotations: { title: record.title },
    execute: ({ id }) => Promise.resolve(recordOf(id)),
  });
  for (const { name, title, description, input } of dummies) {
    server.addTool({
      name,
      description,
      parameters: input,
      annotations: { title },
      execute: () => Promise.resolve(name),
    });
  }
  const port = await freePort();
  await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1' } });
  return `http://127.0.0.1:${port}/mcp`;
};

/** It does not say which port it took, so it is told one. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}
