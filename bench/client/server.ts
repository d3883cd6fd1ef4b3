import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The backend that every contender calls, in a process of its own: 1 KiB of JSON, and failures under /fail. */
const thing = { id: 'thing-1', name: 'a thing', version: 7, tags: ['a', 'b', 'c'], padding: '' };
thing.padding = 'x'.repeat(1024 - Buffer.byteLength(JSON.stringify(thing)));
const body = Buffer.from(JSON.stringify(thing));

const server = createServer((request, response) => {
  request.resume();
  switch (request.url ?? '') {
    case '/fail/reset':
      request.socket.destroy();
      return;
    case '/fail/status':
      response.writeHead(500, { 'content-type': 'application/problem+json' });
      response.end('{"title":"down"}');
      return;
    case '/fail/shape':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"id":7}');
      return;
    default:
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
  }
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('disconnect', () => process.exit());
