import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

import { localCaller } from '@mcp-parts/auth';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { serveHttp } from '../src/index.ts';
import { openServer } from './test-server.ts';

const operatorToken = 'planted-token-of-operators-0123456789';

async function open() {
  const server = await openServer();
  onTestFinished(() => server.close());
  const logged = {
    warn: vi.spyOn(server.logger, 'warn').mockImplementation(() => undefined),
    error: vi.spyOn(server.logger, 'error').mockImplementation(() => undefined),
  };
  const http = await serveHttp(server, {
    port: 0,
    gate: { unauthenticated: localCaller({ name: 'test', permissions: ['echo'] }) },
    operator: { host: '127.0.0.1', port: 0 },
    operatorToken,
  });
  onTestFinished(() => http.close());
  logged.warn.mockClear();
  const url = new URL(http.operatorUrl ?? '');
  const post = async (path: string, body: string, headers: OutgoingHttpHeaders = {}) => {
    const sent = httpRequest(new URL(path, url), { method: 'POST', headers, agent: false });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    return response;
  };
  return { url, post, logged };
}

describe('a form for operators', () => {
  it('that is too long is refused in words', async () => {
    const { post, logged } = await open();
    expect((await post('/console/sign-in', `token=${'a'.repeat(100_000)}`)).statusCode).toBe(401);
    expect(logged.error).not.toHaveBeenCalled();
  });

  it('whose sender goes away is nobody’s error', async () => {
    const { url, post, logged } = await open();
    const socket = connect(Number(url.port), url.hostname);
    const head = `POST /console/sign-in HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: 100\r\n\r\ntok`;
    await new Promise((resolve) => socket.write(head, resolve));
    socket.destroy();
    await once(socket, 'close');

    expect((await post('/console/sign-in', `token=${operatorToken}`)).statusCode).toBe(303);
    expect(logged.error).not.toHaveBeenCalled();
    expect(logged.warn).not.toHaveBeenCalled();
  });

  it.each(['/console/sign-in', '/console/sign-out'])('at %s counts from its own page only', async (path) => {
    const { post } = await open();
    for (const [site, status] of [
      ['cross-site', 403],
      ['same-site', 403],
      ['same-origin', 303],
    ] as const) {
      const response = await post(path, `token=${operatorToken}`, { 'sec-fetch-site': site });
      expect(response.statusCode).toBe(status);
      expect(response.headers['set-cookie'] === undefined).toBe(status === 403);
    }
  });

  it('tries ten tokens in a minute, and logs no more', async () => {
    const { post, logged } = await open();
    const statuses: (number | undefined)[] = [];
    for (let count = 0; count < 12; count += 1) {
      statuses.push((await post('/console/sign-in', `token=wrong-${count}`)).statusCode);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    expect(logged.warn).toHaveBeenCalledTimes(10);
  });
});
