import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startGuardedServer, type GuardedServer } from './guarded-server.ts';
import { openClient } from './mcp-request.ts';

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await startGuardedServer();
});
afterAll(() => guarded[Symbol.asyncDispose]());

/** Tokens count in whole seconds, so this one has between one and two left. */
const shortLived = () => guarded.token('ann', { exp: Math.floor(Date.now() / 1000) + 2 });

async function endOf(response: Response): Promise<'ended'> {
  for await (const _chunk of response.body ?? []) {
    // Only the end matters.
  }
  return 'ended';
}

describe('a stream that waits for events', () => {
  it('of a 2025 session ends with its token, and a new token opens it again', async () => {
    const { headers, send } = await openClient(guarded.url, '2025', guarded.token('ann'));
    const open = (token: string) =>
      fetch(guarded.url, {
        headers: { ...headers, accept: 'text/event-stream', authorization: `Bearer ${token}` },
      });
    const stream = await open(shortLived());
    expect(stream.status).toBe(200);
    await expect(endOf(stream)).resolves.toBe('ended');
    // The session outlives the stream, and needs a good token as before.
    expect((await send('tools/list')).status).toBe(200);
    const again = await open(guarded.token('ann'));
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  it('of a 2026 subscription ends with its token', async () => {
    const { headers } = await openClient(guarded.url, '2026', shortLived());
    const response = await fetch(guarded.url, {
      method: 'POST',
      headers: {
        ...headers,
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'subscriptions/listen',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'subscriptions/listen',
        params: {
          notifications: { toolsListChanged: true },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
            'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1.0.0' },
          },
        },
      }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    await expect(endOf(response)).resolves.toBe('ended');
  });

  it('needs a token to open', async () => {
    const answer = await fetch(guarded.url, { headers: { accept: 'text/event-stream' } });
    expect(answer.status).toBe(401);
  });
});
