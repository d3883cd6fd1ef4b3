// A load balancer for the demo where nginx is not installed: each request goes to the next server that answers.
import { createServer, request as send } from 'node:http';

/** Listens on a port of loopback and hands requests to servers on others. Resolves when it listens. */
export async function startBalancer(port, targets) {
  let turn = 0;
  const server = createServer((request, response) => {
    turn += 1;
    pass(request, response, [
      ...targets.slice(turn % targets.length),
      ...targets.slice(0, turn % targets.length),
    ]);
  });
  // Answers that wait for events may say nothing for a long time.
  server.requestTimeout = 0;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Hands over to the first target, and, before anything was sent to it, to the next. */
function pass(request, response, [target, ...others]) {
  if (target === undefined) {
    response.writeHead(502).end();
    return;
  }
  const { method, url, headers, socket } = request;
  const forwarded = { ...headers, 'x-forwarded-for': socket.remoteAddress ?? '' };
  // A connection for each request: one that was kept may be closing at this moment.
  const upstream = send({
    host: '127.0.0.1',
    port: target,
    method,
    path: url,
    headers: forwarded,
    agent: false,
  });
  let isSent = false;
  upstream.once('socket', (connection) => {
    connection.once('connect', () => {
      isSent = true;
      request.pipe(upstream);
    });
  });
  upstream.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.once('error', () => {
    if (!isSent) {
      pass(request, response, others);
    } else if (response.headersSent) {
      response.destroy();
    } else {
      response.writeHead(502).end();
    }
  });
  response.once('close', () => upstream.destroy());
}
