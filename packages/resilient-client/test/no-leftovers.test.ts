import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

const source = new URL('../src/index.ts', import.meta.url).href;

// Every way to wait: a retry, a hedge, a queue, a hanging response, a shared flight, an open circuit.
const program = `
  import { createServer } from 'node:http';
  import { once } from 'node:events';
  import { createClient, defineEndpoint } from ${JSON.stringify(source)};

  const response = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/hang') return;
    response.writeHead(request.url === '/fail' ? 503 : 200, { 'content-type': 'application/json' });
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  {
    await using api = createClient({
      name: 'service',
      baseUrl: 'http://127.0.0.1:' + server.address().port,
      bulkhead: { concurrency: 2, queue: 2 },
      policy: { hedge: { afterMs: 1_000 } },
    });
    const get = (path, more) => defineEndpoint({ id: path.slice(1), method: 'GET', path, response, ...more });
    const { signal } = new AbortController();
    const fine = get('/fine');
    const fail = get('/fail', { policy: { breaker: { failures: 2 }, retry: { baseDelayMs: 1, maxDelayMs: 1 } } });
    for (let i = 0; i < 5; i++) await api.call(fine, {}, { signal });
    for (let i = 0; i < 3; i++) await api.call(fail, {}, { signal });
    const hang = get('/hang', { singleFlight: true });
    const other = get('/hang', { id: 'other' });
    // Still going, or waiting in the queue, when the client closes.
    for (const slow of [hang, hang, other, other, other]) void api.call(slow, {}, { signal });
    await new Promise(setImmediate);
  }

  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  console.log(JSON.stringify(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')));
`;

it('leaves no timer and no socket behind after `await using`', async () => {
  // The process must end by itself: a socket would hold it for ever, and this test fails at its time limit.
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@mcp-parts/source',
    '--input-type=module',
    '--eval',
    program,
  ]);
  expect(JSON.parse(stdout)).toEqual([]);
});
