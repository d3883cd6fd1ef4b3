import { z } from 'zod';

import { createClient, createClientCredentials, defineEndpoint } from '../src/index.ts';

// Calls `/things/a` below the base URL in the argument and prints what came of it.
const [, , baseUrl = '', tokenUrl] = process.argv;
const read = defineEndpoint({ id: 'things.read', method: 'GET', path: '/things/a', response: z.unknown() });
try {
  await using api = createClient({
    name: 'thing service',
    baseUrl,
    token:
      tokenUrl === undefined
        ? undefined
        : createClientCredentials({ tokenUrl, clientId: 'a', clientSecret: () => 's' }),
    policy: { retry: { maxRetries: 0 } },
  });
  const result = await api.call(read, {}, { signal: AbortSignal.timeout(20_000) });
  process.stdout.write(JSON.stringify(result.ok ? result.data : `${result.error.code} ${result.error.sent}`));
} catch (error) {
  process.stdout.write(JSON.stringify(String(error)));
}
