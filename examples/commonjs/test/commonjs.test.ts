import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, it } from 'vitest';

let server: Server;
let requests = 0;

beforeAll(async () => {
  server = createServer((_request, response) => {
    requests += 1;
    const status = requests === 1 ? 503 : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"greeting":"Hello"}');
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

// Of what was built last: it is what a program in CommonJS gets.
it('runs in CommonJS, and asks a service again that failed once', async () => {
  const main = fileURLToPath(new URL('../src/main.cjs', import.meta.url));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { stdout } = await promisify(execFile)(process.execPath, [main, url]);
  expect(stdout).toBe('Hello');
  expect(requests).toBe(2);
});
