import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { expect, it } from 'vitest';

it('finds the method of the SDK that it calls past the front door', () => {
  const server = new Server({ name: 'server', version: '1.0.0' }, { capabilities: {} });
  expect(server).toHaveProperty('_onrequest', expect.any(Function));
});
