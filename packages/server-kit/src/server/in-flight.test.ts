import type { JsonObject, MethodTable, RequestContext } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';

import { trackInFlight } from './in-flight.ts';

const request: RequestContext = {
  caller: { id: 'issuer#a', kind: 'user', groups: [], permissions: [] },
  signal: new AbortController().signal,
  era: '2026',
  transport: 'http',
  correlationId: '1',
};

function tableOf(handler: () => Promise<JsonObject>): MethodTable {
  return { capabilities: {}, headerParameters: new Map(), methods: new Map([['tools/call', handler]]) };
}

describe('trackInFlight', () => {
  it('is idle at once when nothing runs', async () => {
    expect(await trackInFlight(tableOf(() => Promise.resolve({}))).idle(0)).toBe(true);
  });

  it('becomes idle when the last call ends, also by an error', async () => {
    const first = Promise.withResolvers<JsonObject>();
    const second = Promise.withResolvers<JsonObject>();
    const handlers = [() => first.promise, () => second.promise];
    const inFlight = trackInFlight(tableOf(() => handlers.shift()?.() ?? Promise.resolve({})));
    const call = inFlight.table.methods.get('tools/call');
    const calls = Promise.allSettled([call?.({}, request), call?.({}, request)]);
    expect(inFlight.count()).toBe(2);

    const idle = inFlight.idle(60_000);
    first.resolve({});
    second.reject(new Error('failed'));
    expect(await idle).toBe(true);
    expect((await calls).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('says so when calls are still running after the time', async () => {
    const inFlight = trackInFlight(tableOf(() => new Promise(() => undefined)));
    void inFlight.table.methods.get('tools/call')?.({}, request);
    expect(await inFlight.idle(1)).toBe(false);
  });
});
