import { join } from 'node:path';

import { assertPublic } from '@mcp-parts/sandbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import {
  answerTo,
  createWorld,
  discover,
  envelope,
  initialize,
  initialized,
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

const search = { search: 'fraud' };
const found = { structuredContent: { services: [{ name: 'fraud-service' }] } };
const version = (text: string) => ({
  _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': text },
});

describe.concurrent('a client', () => {
  it('whose probe was answered too late for it is served under 2025', async () => {
    await using server = startRaw(env);
    server.send(discover);
    await expect(answerTo(server, 'probe')).resolves.toMatchObject({
      result: { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
    });
    server.send(initialize, initialized, toolCall('2025', 7, 'list_services', search));
    await expect(answerTo(server, 1)).resolves.toMatchObject({ result: { protocolVersion: '2025-11-25' } });
    await expect(answerTo(server, 7)).resolves.toMatchObject({ result: found });
  });

  it('that has not waited for the answer to its probe is served, too', async () => {
    await using server = startRaw(env);
    server.send(discover, initialize, initialized, toolCall('2025', 7, 'list_services', search));
    await expect(answerTo(server, 7)).resolves.toMatchObject({ result: found });
    await expect(answerTo(server, 'probe')).resolves.toHaveProperty('result');
  });

  it('may probe without naming a version, and then use either era', async () => {
    await using server = startRaw(env);
    server.send({ ...discover, params: {} });
    await expect(answerTo(server, 'probe')).resolves.toBeDefined();
    server.send(toolCall('2026', 7, 'list_services', search));
    await expect(answerTo(server, 7)).resolves.toMatchObject({
      result: { ...found, resultType: 'complete' },
    });
    server.send(initialize);
    await expect(answerTo(server, 1)).resolves.toHaveProperty('result');
  });

  it('is told on every request that its version is not served', async () => {
    await using server = startRaw(env);
    const list = (id: number, text: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/list',
      params: version(text),
    });
    server.send(list(1, '2099-01-01'), list(2, '2026-07-28'), list(3, '2099-01-01'), list(4, '2025-11-25'));
    for (const id of [1, 3, 4]) {
      await expect(answerTo(server, id)).resolves.toMatchObject({
        error: { code: -32022, data: { supported: ['2026-07-28'] } },
      });
    }
    await expect(answerTo(server, 2)).resolves.toHaveProperty('result.tools');
  });

  it('that leaves the capabilities out of a request of 2026-07-28 is told so', async () => {
    await using server = startRaw(env);
    const { 'io.modelcontextprotocol/clientCapabilities': _, ...incomplete } = envelope;
    server.send({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: incomplete } });
    await expect(answerTo(server, 1)).resolves.toMatchObject({ error: { code: -32602 } });
  });

  it('may start with a byte order mark, end lines with CRLF, and leave out the last line end', async () => {
    await using server = startRaw(env);
    server.stdin.write(`\uFEFF${JSON.stringify(initialize)}\r\n\r\n`);
    server.stdin.end(JSON.stringify(toolCall('2025', 7, 'list_services', search)));
    const { code, stdout } = await server.exit;
    expect(code).toBe(0);
    expect(stdout).toContain('"id":1');
    expect(stdout).toContain('"id":7');
  });
});

describe.concurrent.each([
  ['2025', initialize],
  ['2026', discover],
] as const)('a message that is none, under %s,', (_, first) => {
  it.each([
    ['{"jsonrpc":"2.0","id":9,"method":"tools/list","params":null}', 9, -32600],
    ['{"jsonrpc":"2.0","id":9,"method":"tools/list","params":[]}', 9, -32600],
    ['{"jsonrpc":"2.0","id":9,"method":"tools/list","extra":1}', 9, -32600],
    ['{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{"_meta":{"progressToken":[]}}}', 9, -32600],
    [
      '{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/related-task":"a"}}}',
      9,
      -32600,
    ],
    ['{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', null, -32600],
    ['{"jsonrpc":"2.0","id":null,"method":"tools/list"}', null, -32600],
    ['[{"jsonrpc":"2.0","id":9,"method":"ping"}]', null, -32600],
    ['{}', null, -32600],
    ['{"jsonrpc":"2.0","id":9,"method":"ping"} trailing', null, -32700],
    ['['.repeat(100_000), null, -32700],
  ])('is answered, and the connection goes on: %.60s', async (line, id, code) => {
    await using server = startRaw(env);
    server.send(first);
    await answerTo(server, first.id);
    server.send(line);
    await expect(answerTo(server, id)).resolves.toMatchObject({ error: { code } });
    server.send({ ...first, id: 'again' });
    await expect(answerTo(server, 'again')).resolves.toHaveProperty('result');
  });
});

describe('a server that starts', () => {
  it('answers the opening before the identity provider has answered, and lets calls wait', async () => {
    await world.sandbox.faults.set('identity', { kind: 'latency', ms: 2_000 });
    await using server = startRaw({ ...env, STATE_DIRECTORY: join(world.folder, 'slow') });
    server.send(discover, initialize, { jsonrpc: '2.0', id: 2, method: 'ping' });
    server.send(toolCall('2025', 7, 'list_services', search), toolCall('2026', 8, 'list_services', search));
    for (const id of ['probe', 1, 2]) {
      await expect(answerTo(server, id)).resolves.toHaveProperty('result');
    }
    expect(server.stderr()).not.toContain('ready for a client');
    await expect(answerTo(server, 7)).resolves.toMatchObject({ result: found });
    await expect(answerTo(server, 8)).resolves.toMatchObject({ result: found });
    expect(server.stderr()).toContain('ready for a client');
  });

  it('that fails answers the calls which wait, and ends with 1 and a sentence', async () => {
    await world.sandbox.faults.set('identity', { kind: 'down' });
    await using server = startRaw(env);
    server.send(initialize, toolCall('2025', 7, 'list_services', search));
    const { code, stdout, stderr } = await server.exit;
    expect(code).toBe(1);
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly id: number });
    expect(answers.find(({ id }) => id === 7)).toMatchObject({
      error: { code: -32603, message: expect.stringContaining('could not start') },
    });
    assertPublic(answers, world.sandbox, [env['ACCESS_TOKEN'] ?? '']);
    expect(stderr).toMatch(/^mcp-deployments failed: .+$/mu);
    expect(stderr).not.toMatch(/^\s+at |"stack"/mu);
  });

  it.for(['its input ends', 'it gets SIGTERM', 'it gets SIGINT'] as const)(
    'ends with 0 when %s',
    { skip: process.platform === 'win32' },
    async (end) => {
      await world.sandbox.faults.set('identity', { kind: 'latency', ms: 20_000 });
      await using server = startRaw(env);
      server.send(initialize);
      await answerTo(server, 1);
      if (end === 'its input ends') {
        server.stdin.end();
      } else {
        server.kill(end === 'it gets SIGINT' ? 'SIGINT' : 'SIGTERM');
      }
      await expect(server.exit).resolves.toMatchObject({ code: 0, signal: null });
    },
  );
});
