import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, it } from 'vitest';

import { backendEnvironment, pathOf, stateDirectory } from './program.ts';

it('answers a client that starts the program', async () => {
  await using state = await stateDirectory();
  const client = new Client({ name: 'a-client', version: '1.0.0' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [pathOf('dist/stdio.js')],
    env: { ...backendEnvironment, STATE_DIRECTORY: state.path, LOG_LEVEL: 'warn' },
  });
  await client.connect(transport);

  const { structuredContent } = await client.callTool({ name: 'list_tickets', arguments: {} });

  expect(structuredContent).toMatchObject({ tickets: [{ id: 'T-1' }, { id: 'T-2' }] });
  await client.close();
});
