import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createClient, defineEndpoint, type AnyEndpoint } from '@mcp-parts/resilient-client';
import { z } from 'zod';

// Calls this client 200,000 times, and 10,000 times in vain, and reports the heap that is still in use on the way.
const CALLS = 200_000;
const FAILED_CALLS = 10_000;
const SAMPLES = 10;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const [, , baseUrl = ''] = process.argv;
const thing = z.object({ id: z.string() });
const readThing = defineEndpoint({ id: 'things.read', method: 'GET', path: '/things/1', response: thing });
const patient = { breaker: { failures: Number.MAX_SAFE_INTEGER }, retry: { maxRetries: 0 } };
const failing = [
  defineEndpoint({ id: 'fail.reset', method: 'GET', path: '/fail/reset', response: thing, policy: patient }),
  defineEndpoint({
    id: 'fail.status',
    method: 'GET',
    path: '/fail/status',
    response: thing,
    policy: patient,
  }),
  defineEndpoint({ id: 'fail.shape', method: 'GET', path: '/fail/shape', response: thing }),
  // With the defaults, all but the first few are shed by the circuit.
  defineEndpoint({
    id: 'fail.shed',
    method: 'GET',
    path: '/fail/status',
    query: z.object({}),
    response: thing,
  }),
] as const;

const client = createClient({ name: 'thing service', baseUrl, on: () => {} });
// One signal for all calls: what is left hanging on it shows as growth.
const { signal } = new AbortController();
const outcomes: Record<string, number> = {};

await repeat(CALLS / SAMPLES, [readThing]);
const usedBytes = [usedHeap()];
for (let sample = 1; sample <= SAMPLES; sample++) {
  await repeat(CALLS / SAMPLES, [readThing]);
  await repeat(FAILED_CALLS / SAMPLES, failing);
  usedBytes.push(usedHeap());
}
// The first half compiles and fills caches; a second half that peaks higher would grow for ever.
const half = SAMPLES / 2;
const grownBytes = Math.max(...usedBytes.slice(half + 1)) - Math.max(...usedBytes.slice(1, half + 1));
await client.close();
process.send?.({
  calls: CALLS,
  failedCalls: FAILED_CALLS,
  outcomes,
  usedBytes,
  grownBytesPerCall: Number((grownBytes / ((CALLS + FAILED_CALLS) / 2)).toFixed(3)),
});
process.on('disconnect', () => process.exit());

async function repeat(times: number, endpoints: readonly AnyEndpoint[]): Promise<void> {
  let started = 0;
  const worker = async () => {
    while (started < times) {
      const endpoint = endpoints[started++ % endpoints.length] ?? readThing;
      const result = await client.call(endpoint, {}, { signal });
      const outcome = result.ok ? 'ok' : result.error.code;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

function usedHeap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
