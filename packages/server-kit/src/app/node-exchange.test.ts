import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import { expect, it } from 'vitest';

import { createNodeExchange } from './node-exchange.ts';

// An accessor of its own would give each exchange a shape of its own, which lives in the old heap and keeps the request.
it('gives all requests one shape', () => {
  const request = new IncomingMessage(new Socket());
  const options = { sourceAddress: undefined, isLeaving: () => false };
  const exchange = createNodeExchange(request, new ServerResponse(request), options);

  const own = Object.entries(Object.getOwnPropertyDescriptors(exchange));
  expect(own.filter(([, member]) => !('value' in member))).toEqual([]);
  expect(exchange.signal.aborted).toBe(false);
});
