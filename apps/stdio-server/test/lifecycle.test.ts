import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { connectClient, runToEnd } from '@mcp-parts/sandbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import manifest from '../package.json' with { type: 'json' };
import { settings } from '../src/configuration.ts';
import {
  createWorld,
  initialize,
  initialized,
  program,
  startRaw,
  toolCall,
  type RawServer,
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

/** Starts a call whose backend answers late, and waits until the backend has it. */
async function startSlowCall(server: RawServer, era: '2025' | '2026', ms: number): Promise<void> {
  const { sandbox } = world;
  await sandbox.faults.set('configuration', { kind: 'latency', ms, times: 1 });
  const before = sandbox.requests('configuration').length;
  const opening = era === '2025' ? [initialize, initialized] : [];
  server.send(...opening, toolCall(era, 7, 'list_services', { search: 'fraud' }));
  await vi.waitFor(() => expect(sandbox.requests('configuration').length).toBeGreaterThan(before), {
    timeout: 15_000,
  });
}

// Windows has no way to ask a process to end: there, its input does.
const isSignalled = process.platform !== 'win32';

const ends = {
  'its input ends': (server: RawServer) => void server.stdin.end(),
  'it gets SIGINT': (server: RawServer) => server.kill('SIGINT'),
  'it gets SIGHUP': (server: RawServer) => server.kill('SIGHUP'),
  'it gets SIGTERM': (server: RawServer) => server.kill('SIGTERM'),
};

describe('a server', () => {
  it.runIf(isSignalled).for([
    ['2025', 'it gets SIGHUP'],
    ['2025', 'it gets SIGTERM'],
    ['2026', 'it gets SIGTERM'],
  ] as const)('answers what a client of %s has asked when %s, and ends with 0', async ([era, end]) => {
    await using server = startRaw(env);
    await startSlowCall(server, era, 1_500);
    ends[end](server);
    const { code, signal, stdout } = await server.exit;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const lines = stdout.trimEnd().split('\n');
    const messages = lines.map((line) => JSON.parse(line) as object);
    for (const message of messages) {
      expect(message).toMatchObject({ jsonrpc: '2.0' });
    }
    expect(messages.at(-1)).toMatchObject({ id: 7, result: { structuredContent: { total: 1 } } });
  });

  it.for(['2025', '2026'] as const)(
    'answers a call of %s that comes with the end of its input',
    async (era) => {
      await using server = startRaw(env);
      // On a machine that is busy, a program that starts from its sources does so for longer than it waits.
      await server.logged('ready for a client');
      const opening = era === '2025' ? [initialize, initialized] : [];
      server.send(...opening, toolCall(era, 7, 'list_services', { search: 'fraud' }));
      server.stdin.end();
      const { code, stdout } = await server.exit;
      expect(code).toBe(0);
      expect(stdout).toContain('"id":7');
      expect(stdout).toContain('fraud-service');
    },
  );
});

describe.concurrent('a server that nobody has spoken to', { timeout: 60_000 }, () => {
  it.for([
    'its input ends',
    ...(isSignalled ? (['it gets SIGTERM', 'it gets SIGHUP'] as const) : []),
  ] as const)('ends with 0 when %s', async (end) => {
    await using server = startRaw(env);
    await server.logged('ready for a client');
    ends[end](server);
    await expect(server.exit).resolves.toMatchObject({ code: 0, stdout: '' });
  });
});

describe.concurrent('two servers at once', { timeout: 60_000 }, () => {
  it('share a state directory', async () => {
    await using first = await connectClient('sdk-1.x', { program, env });
    await using second = await connectClient('sdk-2.x-pinned', { program, env });
    for (const client of [first, second]) {
      const answer = await client.callTool('list_services', { search: 'fraud' });
      expect(answer.structuredContent).toMatchObject({ total: 1 });
    }
    await expect(readdir(env['STATE_DIRECTORY'] ?? '')).resolves.toEqual(expect.arrayContaining(['1', '2']));
  });
});

describe.concurrent('the SDK of the other era', { timeout: 60_000 }, () => {
  const recorder = fileURLToPath(new URL('record-modules.mjs', import.meta.url));
  const recording = { ...program, args: ['--import', recorder, ...program.args] };

  it.for([
    ['2025', '/@modelcontextprotocol/sdk/', '/@modelcontextprotocol/server/'],
    ['2026', '/@modelcontextprotocol/server/', '/@modelcontextprotocol/sdk/'],
  ] as const)('is not loaded for a client of %s', async ([era, used, unused]) => {
    const file = join(world.folder, `modules-${era}`);
    await using server = startRaw({ ...env, LOADED_MODULES_FILE: file }, recording);
    const opening = era === '2025' ? [initialize, initialized] : [];
    server.send(...opening, toolCall(era, 7, 'list_services'));
    await server.lines(era === '2025' ? 2 : 1);
    server.stdin.end();
    await expect(server.exit).resolves.toMatchObject({ code: 0 });
    const loaded = (await readFile(file, 'utf8')).split('\n');
    expect(loaded.filter((url) => url.includes(used)).length).toBeGreaterThan(0);
    expect(loaded.filter((url) => url.includes(unused))).toEqual([]);
    expect(loaded.filter((url) => url.includes('/fastify/'))).toEqual([]);
  });
});

describe.concurrent('the command line', () => {
  it.each(['--help', '-h'])('explains every variable with %s', async (option) => {
    const { code, stdout } = await runToEnd(program, { args: [option] });
    expect(code).toBe(0);
    for (const name of Object.keys(settings)) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'mu'));
    }
  });

  it('tells the version', async () => {
    await expect(runToEnd(program, { args: ['--version'] })).resolves.toMatchObject({
      code: 0,
      stdout: `${manifest.version}\n`,
    });
  });

  it('names every variable that is missing, on standard error', async () => {
    const { code, stdout, stderr } = await runToEnd(program);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const required = Object.entries(settings)
      .filter(([, { schema }]) => !schema.safeParse(undefined).success)
      .map(([name]) => name);
    expect(required.length).toBeGreaterThan(8);
    for (const name of required) {
      expect(stderr).toContain(`  ${name} is required\n`);
    }
  });
});
