import { connectClient, assertPublic, sdkClients, textOf } from '@mcp-parts/sandbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import {
  createWorld,
  initialize,
  initialized,
  program,
  startRaw,
  toolCall,
  type World,
} from './stdio-server.ts';

let world: World;
let env: Record<string, string>;

beforeAll(async () => {
  world = await createWorld();
  env = await world.settings('developer');
});

afterEach(() => world.sandbox.faults.clear());

afterAll(() => world[Symbol.asyncDispose]());

const parseError = { jsonrpc: '2.0', id: null, error: { code: -32700, message: expect.any(String) } };
const found = (id: number) => ({
  id,
  result: { structuredContent: { services: [{ name: 'fraud-service' }] } },
});
const search = { search: 'fraud' };

describe.concurrent('a line that is not JSON', () => {
  it.for(['2025', '2026'] as const)(
    'as the first one is answered, and a client of %s goes on',
    async (era) => {
      await using server = startRaw(env);
      server.send('GET / HTTP/1.1', '', '{"jsonrpc":');
      const opening = era === '2025' ? [initialize, initialized] : [];
      server.send(...opening, toolCall(era, 7, 'list_services', search));
      const lines = parsed(await server.lines(era === '2025' ? 4 : 3));
      expect(lines.slice(0, 2)).toEqual([parseError, parseError]);
      expect(lines.at(-1)).toMatchObject(found(7));
      expect(server.stderr()).toContain('a line on standard input is no message');
      server.stdin.end();
      await expect(server.exit).resolves.toMatchObject({ code: 0 });
    },
  );

  it.for(['2025', '2026'] as const)('later ends nothing under %s', async (era) => {
    await using server = startRaw(env);
    const opening = era === '2025' ? [initialize, initialized] : [];
    server.send(...opening, toolCall(era, 7, 'list_services', search), 'nonsense', '{"half":');
    server.send(toolCall(era, 8, 'list_services', search));
    const answers = async (count: number): Promise<unknown[]> => {
      const lines = parsed(await server.lines(count));
      // Calls run side by side, so either may be answered first.
      return [7, 8].every((id) => lines.some((line) => hasId(line, id))) ? lines : answers(count + 1);
    };
    const lines = await answers(2);
    expect(lines.find((line) => hasId(line, 7))).toMatchObject(found(7));
    expect(lines.find((line) => hasId(line, 8))).toMatchObject(found(8));
    assertPublic(lines, world.sandbox, [env['ACCESS_TOKEN'] ?? '']);
    server.stdin.end();
    await expect(server.exit).resolves.toMatchObject({ code: 0 });
  });

  it('alone ends in silence and with 0 when the client leaves', async () => {
    await using server = startRaw(env);
    server.send('nonsense');
    server.stdin.end();
    const { code, stdout } = await server.exit;
    expect(code).toBe(0);
    expect(parsed(stdout.trimEnd().split('\n'))).toEqual([parseError]);
  });
});

describe.concurrent('a message', () => {
  it.for(['null', '[]', '{"jsonrpc":"2.0","id":1,"method":"no/such"}'])(
    'that makes no sense as the first one stops nobody: %s',
    async (line) => {
      await using server = startRaw(env);
      server.send(line, initialize, initialized, toolCall('2025', 9, 'list_services', search));
      const answers = async (count: number): Promise<unknown[]> => {
        const lines = parsed(await server.lines(count));
        return lines.some((answer) => hasId(answer, 9)) ? lines : answers(count + 1);
      };
      expect((await answers(1)).find((answer) => hasId(answer, 9))).toMatchObject(found(9));
    },
  );

  it('of 2 MB is refused or served, and the server goes on', async () => {
    await using server = startRaw(env);
    server.send(
      initialize,
      initialized,
      toolCall('2025', 7, 'list_services', { search: 'x'.repeat(2_000_000) }),
    );
    server.send(toolCall('2025', 8, 'list_services', search));
    const lines = parsed(await server.lines(3));
    expect(lines.find((line) => hasId(line, 7))).toMatchObject({ result: { isError: true } });
    expect(lines.find((line) => hasId(line, 8))).toMatchObject(found(8));
  });
});

describe.each(sdkClients)('the client of %s', (kind) => {
  it('gets words for everything that it does wrong, over one connection', async () => {
    const { sandbox } = world;
    await using client = await connectClient(kind, { program, env });
    const target = { version: '1.0.0', environment: 'staging' };
    const asked = (service: string) =>
      client.callTool('check_deployment_prerequisites', { service, ...target });

    const traversal = await asked('../../etc/passwd');
    expect(traversal.isError).toBe(true);
    expect(textOf(traversal)).toMatch(/^Invalid arguments for check_deployment_prerequisites\./u);

    const unknown = await asked('no-such-service');
    expect(unknown.isError).toBe(true);
    expect(textOf(unknown)).toContain('list_services');

    await expect(client.callTool('no_such_tool')).rejects.toMatchObject({ code: -32602 });
    await expect(client.readResource('deployment://config/../../etc/passwd')).rejects.toMatchObject({
      message: expect.stringContaining('Resource not found'),
    });

    await sandbox.faults.set('configuration', { kind: 'down' });
    const failed = await client.callTool('list_services');
    expect(failed.isError).toBe(true);
    expect(textOf(failed)).toMatch(/^The configuration service could not be reached\./u);
    assertPublic([traversal, unknown, failed], sandbox, [env['ACCESS_TOKEN'] ?? '']);

    await sandbox.faults.clear();
    await expect(client.callTool('list_services', search)).resolves.toMatchObject(found(0).result);
    expect(client.stderr()).toContain('"msg":"call failed"');
  });
});

describe('an access token', () => {
  it.for([
    ['that is nonsense', 'nonsense'],
    ['that is for another server', undefined],
  ] as const)('%s ends the program with 1 before it does anything', async ([, text]) => {
    const { sandbox } = world;
    const token =
      text ??
      (await sandbox.issueServiceToken('mcp-server', {
        resource: sandbox.platformAudience,
        scopes: ['platform:read'],
      }));
    await using server = startRaw({ ...env, ACCESS_TOKEN: token });
    server.send(initialize, toolCall('2025', 7, 'list_services'));
    const { code, stdout, stderr } = await server.exit;
    expect(code).toBe(1);
    expect(stdout).not.toContain('fraud-service');
    expect(stderr).toContain('invalid_token');
    expect(stderr).not.toContain(token);
  });

  it('cannot be verified while the identity provider is down: the program ends with 1 and says so', async () => {
    await world.sandbox.faults.set('identity', { kind: 'down' });
    await using server = startRaw(env);
    const { code, stdout, stderr } = await server.exit;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('"code":"unavailable"');
  });
});

function parsed(lines: readonly string[]): unknown[] {
  return lines.map((line) => JSON.parse(line) as unknown);
}

function hasId(message: unknown, id: number): boolean {
  return typeof message === 'object' && message !== null && 'id' in message && message.id === id;
}
