import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';

import { createEventStore } from './event-store.ts';

const message = (method: string): JSONRPCMessage => ({ jsonrpc: '2.0', method });

async function replayed(store: ReturnType<typeof createEventStore>, lastEventId: string) {
  const methods: string[] = [];
  await store.replayEventsAfter(lastEventId, {
    send: (_id, sent) => {
      if ('method' in sent) {
        methods.push(sent.method);
      }
      return Promise.resolve();
    },
  });
  return methods;
}

describe('createEventStore', () => {
  it('replays what the same stream sent after an event', async () => {
    const store = createEventStore();
    const first = await store.storeEvent('s1', message('a'));
    await store.storeEvent('s2', message('other stream'));
    await store.storeEvent('s1', message('b'));
    await store.storeEvent('s1', message('c'));
    expect(await replayed(store, first)).toEqual(['b', 'c']);
  });

  it('knows the stream of an event, and none of an event it forgot', async () => {
    const store = createEventStore(2);
    const first = await store.storeEvent('s1', message('a'));
    const second = await store.storeEvent('s1', message('b'));
    await store.storeEvent('s1', message('c'));
    expect(await store.getStreamIdForEventId?.(first)).toBeUndefined();
    expect(await store.getStreamIdForEventId?.(second)).toBe('s1');
    await expect(replayed(store, first)).rejects.toThrow('too old');
  });

  it('replays no priming event', async () => {
    const store = createEventStore();
    // What the SDK stores to mark the start of a stream is an empty object.
    const priming = await store.storeEvent('s1', {} as JSONRPCMessage);
    await store.storeEvent('s1', {} as JSONRPCMessage);
    await store.storeEvent('s1', message('a'));
    expect(await replayed(store, priming)).toEqual(['a']);
  });
});
