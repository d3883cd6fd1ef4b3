import { localCaller } from '@mcp-parts/auth';
import { expect, it } from 'vitest';

import type { OutgoingMessage } from '../wire/encode.ts';
import { openSubscription } from './subscription.ts';

it('ends with an error, and harms nothing else, when what it asks for cannot be looked up', async () => {
  const sent: OutgoingMessage[] = [];
  const ended = Promise.withResolvers<void>();
  openSubscription(
    {
      changes: undefined,
      methods: new Map(),
      watchTask: () => Promise.reject(new Error('the store of tasks is away at 10.0.0.7')),
    },
    {
      id: 'listen-1',
      wanted: { lists: [], uris: [], taskIds: ['task-1'] },
      request: {
        caller: localCaller({ name: 'ann', permissions: [] }),
        signal: new AbortController().signal,
        era: '2026',
        transport: 'http',
        correlationId: 'test',
        sourceAddress: undefined,
      },
      serverInfo: {},
      send: (message) => void sent.push(message),
      onEnded: ended.resolve,
    },
  );
  await ended.promise;
  expect(sent).toEqual([
    {
      id: 'listen-1',
      error: { code: -32603, message: 'The subscription could not be opened. Try again later.' },
    },
  ]);
});
