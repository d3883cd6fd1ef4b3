import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { expect, it } from 'vitest';

import { startServer, tokenFor } from './http-server.ts';
import { modernCall, send } from './raw-request.ts';

it('shows operators how long requests to upstreams take, and how they end', async () => {
  const sandbox = await startSandbox({ mcpResource });
  try {
    await using server = await startServer(sandbox);
    const token = await tokenFor(sandbox, 'developer');
    await sandbox.faults.set('configuration', { kind: 'status', status: 503, times: 1 });

    const { status } = await send(server.url, modernCall(token, 'list_services', { search: 'fraud' }));
    const { text } = await send(`${server.origin}/metrics`);

    expect(status).toBe(200);
    const counts = text.split('\n').filter((line) => /^http_client_request_duration\w*_count\{/u.test(line));
    const of = (code: string) =>
      counts.filter((line) => line.includes('configuration service') && line.includes(`"${code}"`));
    expect(of('503')).toHaveLength(1);
    expect(of('200')).toHaveLength(1);
    expect(text).not.toContain('/v1/services');
  } finally {
    await sandbox.close();
  }
}, 60_000);
