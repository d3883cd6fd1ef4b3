// A program in CommonJS that takes one part, and calls the service at the URL that it is given.
const { createClient, defineEndpoint } = require('@mcp-parts/resilient-client');
const { z } = require('zod');

const hello = defineEndpoint({
  id: 'hello',
  method: 'GET',
  path: '/hello',
  response: z.object({ greeting: z.string() }),
});

async function main() {
  const client = createClient({ name: 'greeter', baseUrl: process.argv[2] });
  const result = await client.call(hello, {}, { signal: AbortSignal.timeout(10_000) });
  await client.close();
  process.stdout.write(result.ok ? result.data.greeting : result.error.publicMessage);
}

void main();
