import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { afterAll, describe, expect, it } from 'vitest';

import { startServer, tokenFor } from './http-server.ts';
import { messagesOf, modernCall, send } from './raw-request.ts';

const sandbox = await startSandbox({ mcpResource, directoryServer: true });

afterAll(() => sandbox.close());

describe.skipIf(sandbox.directoryServer === undefined)('with groups in an OpenLDAP server', () => {
  it.each([
    ['lets one deploy to production who is in the group', 'release-manager', false],
    ['refuses one who is not', 'developer', true],
  ] as const)('%s', async (_, user, isDenied) => {
    sandbox.setDeploymentWindow('production', { always: true });
    await using server = await startServer(sandbox);
    const target = { service: 'cart-service', version: '3.2.0', environment: 'production' };
    const answer = await send(
      server.url,
      modernCall(await tokenFor(sandbox, user), 'trigger_deployment', target),
    );
    const [message] = messagesOf(answer);
    expect(JSON.stringify(message).includes('Not allowed')).toBe(isDenied);
    const ended = await server.stop();
    expect(ended.code).toBe(0);
    expect(ended.stderr).not.toContain(sandbox.directoryServer?.password);
  });
});
