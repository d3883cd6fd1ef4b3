import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createRemoteJWKSet, jwtVerify } from 'jose';

import { createServer } from './server.ts';

const env = process.env;

if (env['TRANSPORT'] === 'stdio') {
  serveStdio(createServer);
} else {
  const keys = createRemoteJWKSet(new URL(String(env['AUTH_JWKS_URL'])));
  const serve = toNodeHandler(createMcpHandler(createServer));
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const token = request.headers.authorization?.replace(/^Bearer /u, '') ?? '';
      await jwtVerify(token, keys, {
        issuer: String(env['AUTH_ISSUER']),
        audience: String(env['AUTH_AUDIENCE']),
        algorithms: ['RS256'],
      });
    } catch {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      return;
    }
    await serve(request as NodeIncomingMessageLike, response);
  };
  const http = createHttpServer((request, response) => void handle(request, response));
  http.listen(Number(env['PORT'] ?? 3000), '127.0.0.1', () => {
    const address = http.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    process.stderr.write(`${JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}/mcp` })}\n`);
  });
}
