import { Server } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';

import { createMultiplexTransport } from './multiplex-transport.ts';

const ping = { jsonrpc: '2.0', id: 'client-1', method: 'ping' } as const;
const extra = { auth: undefined, classification: undefined };
const receiver = { notify() {}, respond() {} };

it('finds the method of the SDK that it calls past the front door', () => {
  const server = new Server({ name: 'server', version: '1.0.0' }, { capabilities: {} });
  expect(server).toHaveProperty('_onrequest', expect.any(Function));
});

it('goes through the front door of an SDK that has no such method', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- A later SDK: nothing of it is called.
  const transport = createMultiplexTransport({} as Server);
  const received: unknown[] = [];
  transport.onmessage = (message) => void received.push(message);
  transport.dispatch({ ...ping, kind: 'request' } as never, extra as never, receiver);
  expect(received).toEqual([{ jsonrpc: '2.0', id: 1, method: 'ping' }]);
});
