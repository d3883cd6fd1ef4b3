import { expect, it, vi } from 'vitest';
import { z } from 'zod';

import { callFor, createClient, defineEndpoint, type Work } from './index.ts';
import { createScriptedUpstream, createTestClock, reply } from './testing/index.ts';

const get = defineEndpoint({
  id: 'things.get',
  method: 'GET',
  path: '/things/{id}',
  response: z.object({ name: z.string() }),
  explain: { 404: 'There is no such thing. List them first.' },
});

function thingsBehind(...responses: Parameters<typeof createScriptedUpstream>) {
  const clock = createTestClock();
  const { dispatcher, requests } = createScriptedUpstream(...responses);
  const client = createClient({ name: 'things', baseUrl: 'https://things.internal', dispatcher, clock });
  return { client, clock, requests };
}

it('returns the data, and tells the work how the call ended', async () => {
  const { client, clock } = thingsBehind(reply(503), reply(200, { name: 'one' }));
  const onUpstreamCall = vi.fn<NonNullable<Work['onUpstreamCall']>>();
  const work = { signal: new AbortController().signal, onUpstreamCall };
  await expect(clock.settle(callFor(work, client, get, { params: { id: 1 } }))).resolves.toEqual({
    name: 'one',
  });
  expect(onUpstreamCall.mock.calls).toEqual([
    [
      {
        upstream: 'things',
        endpoint: 'things.get',
        outcome: 'ok',
        attempts: 2,
        durationMs: expect.any(Number),
      },
    ],
  ]);
});

it('throws what a model may read', async () => {
  const { client, clock } = thingsBehind(reply(404));
  const work = { signal: new AbortController().signal };
  await expect(clock.settle(callFor(work, client, get, { params: { id: 1 } }))).rejects.toMatchObject({
    code: 'not_found',
    publicMessage: 'There is no such thing. List them first.',
  });
});

it('gives up when the work does', async () => {
  const { client, clock, requests } = thingsBehind(reply(200, { name: 'one' }));
  const work = { signal: new AbortController().signal, deadlineAt: clock.now() - 1 };
  await expect(clock.settle(callFor(work, client, get, { params: { id: 1 } }))).rejects.toMatchObject({
    code: 'deadline_exceeded',
  });
  expect(requests).toEqual([]);
});
