import { once } from 'node:events';

import { createLogger } from '@mcp-parts/observability';

import { createDefinitions } from './definitions.ts';
import { serveOpenly } from './serve.ts';

await using server = await serveOpenly(createDefinitions, {
  port: 3000,
  logger: createLogger({ name: 'everything' }),
});
process.stderr.write(`One of everything is at ${server.url}\n`);
await once(process, 'SIGINT');
