// Builds the site of the documentation, or serves it while you write.
//
//   node site/main.ts build|dev
import { fileURLToPath } from 'node:url';

import { build, createServer } from 'vitepress';

import { writeReference } from './reference.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const command = process.argv[2];

if (command !== 'build' && command !== 'dev') {
  process.stderr.write('usage: node site/main.ts build|dev\n');
  process.exit(2);
}
await writeReference();
if (command === 'build') {
  await build(here);
} else {
  const server = await createServer(here, { host: '127.0.0.1' });
  await server.listen();
  server.printUrls();
}
