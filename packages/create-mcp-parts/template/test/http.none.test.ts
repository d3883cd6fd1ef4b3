import { expect, it } from 'vitest';

import { startHttp } from './http-program.ts';

it('lets everybody on this machine read, and nobody change anything', async () => {
  await using server = await startHttp({});
  const client = await server.connect();

  const { structuredContent } = await client.callTool({ name: 'list_tickets', arguments: {} });
  const { tools } = await client.listTools();

  expect(structuredContent).toMatchObject({ tickets: [{ id: 'T-1' }, { id: 'T-2' }] });
  expect(tools.map(({ name }) => name)).not.toContain('create_ticket');
  await client.close();
});
