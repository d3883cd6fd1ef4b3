import { describe, expect, it } from 'vitest';

import { createClient } from '../src/index.ts';
import { createTestClock } from '../src/testing/index.ts';
import { readThing, signal } from './things.ts';
import { json, startUpstream } from './upstream.ts';

const name = 'thing service';
const read = { params: { id: 'a' } };

describe('private addresses', () => {
  it('are refused when they stand in the base URL', () => {
    expect(() => createClient({ name, baseUrl: 'http://127.0.0.1:1', refusePrivateAddresses: true })).toThrow(
      'baseUrl names a private address',
    );
  });

  it('are refused when a name resolves to them, and nothing is sent', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    const { port } = new URL(upstream.url);
    await using api = createClient({
      name,
      baseUrl: `http://localhost:${port}`,
      refusePrivateAddresses: true,
      policy: { retry: { maxRetries: 0 } },
    });

    const result = await api.call(readThing, read, { signal });

    expect(result).toMatchObject({
      ok: false,
      error: { code: 'network', sent: 'no', cause: { code: 'ERR_PRIVATE_ADDRESS' } },
    });
    expect(upstream.received).toHaveLength(0);
  });

  it('are reached as long as nobody forbids it', async () => {
    await using upstream = await startUpstream((_, response) => json(response, 200, { id: 'a' }));
    await using api = createClient({ name, baseUrl: `http://localhost:${new URL(upstream.url).port}` });

    expect(await api.call(readThing, read, { signal })).toMatchObject({ ok: true });
  });
});

describe('the deadline header', () => {
  it('tells every attempt how long the caller will still wait', async () => {
    const clock = createTestClock();
    await using upstream = await startUpstream((_, response, count) => {
      clock.advance(1_500);
      json(response, count === 1 ? 503 : 200, { id: 'a' });
    });
    await using api = createClient({
      name,
      baseUrl: upstream.url,
      clock,
      random: () => 0,
      deadlineHeader: 'X-Timeout-Ms',
      on: ({ type }) => type === 'retry' && queueMicrotask(() => clock.advance(0)),
    });

    await api.call(readThing, read, { signal, deadlineAt: clock.now() + 9_000 });

    expect(upstream.received.map(({ headers }) => headers['x-timeout-ms'])).toEqual(['9000', '7500']);
  });
});
