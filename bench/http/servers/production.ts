import { join } from 'node:path';

import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express, { type NextFunction, type Request, type Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { pino } from 'pino';

import { RESOURCE, SCOPE } from '../issuer.ts';
import type { StartServer } from '../serve.ts';
import { listen } from './listen.ts';
import { createSdkServer } from './sdk-1.ts';

/**
 * What teams run today: the SDK's stateless example behind express, with helmet, a limit for each caller, tokens that
 * jose verifies, and one line for each call in a file. That line is not durable, and is not there before the call.
 */
export const start: StartServer = async ({ issuer, folder }) => {
  const auditLog = pino({}, pino.destination(join(folder, 'audit.log')));
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const app = express();
  app.use(helmet());
  app.use(express.json({ limit: '1mb' }));

  const authenticate = async (request: Request, response: Response, next: NextFunction) => {
    const [, token = ''] = /^Bearer (\S+)$/u.exec(request.headers.authorization ?? '') ?? [];
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience: RESOURCE,
        algorithms: ['RS256'],
        typ: 'at+jwt',
      });
      const scopes = String(payload['scope']).split(' ');
      if (!scopes.includes(SCOPE)) {
        response.status(403).json({ error: 'insufficient_scope' });
        return;
      }
      response.locals['subject'] = payload.sub;
      next();
    } catch {
      response
        .status(401)
        .set('www-authenticate', 'Bearer error="invalid_token"')
        .json({ error: 'invalid_token' });
    }
  };
  const limit = rateLimit({
    windowMs: 60_000,
    limit: 1_000_000,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (_request, response) => String(response.locals['subject']),
  });
  app.post('/mcp', authenticate, limit, async (request: Request, response: Response) => {
    const startedAt = performance.now();
    const server = createSdkServer();
    const transport = new StreamableHTTPServerTransport({});
    response.on('close', () => {
      auditLog.info({
        actor: response.locals['subject'],
        method: request.body?.method,
        target: request.body?.params?.name,
        status: response.statusCode,
        durationMs: performance.now() - startedAt,
      });
      void transport.close();
      void server.close();
    });
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
  });
  return listen(app);
};
