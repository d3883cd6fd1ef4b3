import { request as httpRequest } from 'node:http';

import { fastify, type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkAccess } from './access.ts';

let app: FastifyInstance;
beforeAll(async () => {
  app = fastify();
  checkAccess(app, {
    allowedHosts: ['mcp.example.com', '127.0.0.1', '[::1]'],
    allowedOrigins: ['https://client.example.com', 'localhost'],
    openRoutes: ['/health'],
  });
  app.get('/', async () => 'ok');
  app.get('/health', async () => 'ok');
  await app.ready();
});
afterAll(() => app.close());

async function statusOf(headers: Record<string, string>): Promise<number> {
  return (await app.inject({ url: '/', headers })).statusCode;
}

describe('checkAccess', () => {
  it.each(['mcp.example.com', 'MCP.example.com:443', '127.0.0.1:3000', '[::1]:3000'])(
    'answers to the host %s',
    async (host) => {
      expect(await statusOf({ host })).toBe(200);
    },
  );

  it.each(['evil.example.com', 'mcp.example.com.evil.example', '', '127.0.0.1.evil.example:3000'])(
    'refuses the host "%s"',
    async (host) => {
      expect(await statusOf({ host })).toBe(403);
    },
  );

  it('answers probes under any host', async () => {
    expect((await app.inject({ url: '/health', headers: { host: '10.0.0.7:3000' } })).statusCode).toBe(200);
  });

  it('refuses a request with two Host or two Authorization headers', async () => {
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const statusWith = (headers: Readonly<Record<string, string | readonly string[]>>) =>
      new Promise((resolve, reject) => {
        const sent = httpRequest({ port, host: '127.0.0.1', setHost: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        for (const [name, value] of Object.entries(headers)) {
          sent.setHeader(name, value);
        }
        sent.on('error', reject).end();
      });
    expect(await statusWith({ Host: ['127.0.0.1', '127.0.0.1'] })).toBeOneOf([400, 403]);
    expect(await statusWith({ Host: '127.0.0.1', Authorization: ['Bearer a', 'Bearer b'] })).toBe(400);
    expect(await statusWith({ Host: '127.0.0.1', Authorization: ['Bearer a'] })).toBe(200);
  });

  it.each(['https://client.example.com', 'http://localhost:6274', 'HTTPS://client.example.com'])(
    'lets pages of %s call',
    async (origin) => {
      expect(await statusOf({ host: '127.0.0.1', origin })).toBe(200);
    },
  );

  it.each([
    'https://evil.example.com',
    'null',
    'https://client.example.com.evil.example',
    'http://127.0.0.1',
  ])('refuses pages of %s', async (origin) => {
    expect(await statusOf({ host: '127.0.0.1', origin })).toBe(403);
  });
});
