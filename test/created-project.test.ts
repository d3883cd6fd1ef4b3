import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { installedPackages, startRegistry, type Registry } from '../scripts/loopback-registry.ts';
import { command } from '../scripts/run-command.ts';
import { packPackages, workspace, type PackedPackages } from './packed-packages.ts';

let packed: PackedPackages;
let registry: Registry;
let project: string;

/** What npm is told, so that it asks the registry on loopback alone. */
const npmSettings = (): string[] => ['--registry', registry.url, '--cache', join(packed.folder, '.npm')];

beforeAll(async () => {
  packed = await packPackages();
  registry = await startRegistry([...packed.packages.values(), ...(await installedPackages(workspace))]);
  const folder = join(packed.folder, 'empty');
  await mkdir(folder);
  const options = ['--transport', 'both', '--auth', 'keycloak', '--audit', '--tasks'];
  const started = performance.now();
  await command(
    'npm',
    ['create', 'mcp-parts@latest', 'desk', '--yes', ...npmSettings(), '--', ...options],
    folder,
  );
  project = join(folder, 'desk');
  await command('npm', ['test'], project);
  const client = await connect();
  await client.callTool({ name: 'list_tickets', arguments: {} });
  await client.close();
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stderr.write(`From an empty folder to an answered call: ${seconds} s\n`);
  // Installs, compiles and runs tests with nothing cached; the limit is for a busy machine.
}, 600_000);

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await packed?.[Symbol.asyncDispose]();
});

/** A client that starts the server as `.mcp.json` says. */
async function connect(): Promise<Client> {
  const client = new Client({ name: 'a-client', version: '1.0.0' });
  const env = { STATE_DIRECTORY: 'state', LOG_LEVEL: 'warn' };
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['dist/stdio.js'],
    cwd: project,
    env,
    stderr: 'ignore',
  });
  await client.connect(transport);
  return client;
}

/** Asks for the newest version of everything that a project depends on. */
async function updateAll(file: string): Promise<void> {
  // Written by us.
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, string>>;
  for (const kind of ['dependencies', 'devDependencies']) {
    const names = Object.keys(manifest[kind] ?? {});
    manifest[kind] = Object.fromEntries(names.map((name) => [name, 'latest']));
  }
  await writeFile(file, JSON.stringify(manifest));
}

/** What the last release has written, by paths: `pnpm version-packages` keeps it. */
async function releasedProject(): Promise<Readonly<Record<string, readonly string[]>>> {
  const file = join(workspace, 'packages/create-mcp-parts/test/released-project.json');
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, readonly string[]>;
}

it('a project of the last release works when everything that it depends on is brought up to date', async () => {
  const folder = join(packed.folder, 'desk-of-the-last-release');
  for (const [path, lines] of Object.entries(await releasedProject())) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `${lines.join('\n')}\n`);
  }
  await updateAll(join(folder, 'package.json'));
  await command('npm', ['install', '--no-audit', '--no-fund', ...npmSettings()], folder);
  expect(await command('npm', ['test'], folder)).toMatch(/Tests .* passed/u);
}, 300_000);

describe('a project that npm create has written', () => {
  it('answers a client, and its audit trail can be read and verified', async () => {
    const client = await connect();
    const { structuredContent } = await client.callTool({ name: 'list_tickets', arguments: {} });
    await client.close();

    expect(structuredContent).toMatchObject({ tickets: [{ id: 'T-1' }, { id: 'T-2' }] });
    await command('npm', ['run', 'audit'], project);
    await command('npm', ['run', 'verify'], project);
  });

  it('takes further parts, whose tests pass, under the strictest types', async () => {
    for (const [kind, name] of [
      ['tool', 'assign_ticket'],
      ['resource', 'room'],
      ['prompt', 'weekly_report'],
      ['backend', 'parking_lots'],
    ] as const) {
      await command('npx', ['create-mcp-parts', 'add', kind, name], project);
    }
    await command('npm', ['install', ...npmSettings()], project);
    await command('npm', ['test'], project);
    const tests = await readdir(join(project, 'test'));
    expect(tests).toEqual(
      expect.arrayContaining([
        'assign-ticket.test.ts',
        'room.test.ts',
        'weekly-report.test.ts',
        'parking-lots.test.ts',
      ]),
    );
  }, 300_000);

  it('builds what goes into its image, with a bill of materials', async () => {
    const image = join(packed.folder, 'image');
    await cp(project, image, {
      recursive: true,
      filter: (source) => !/[/\\](?:node_modules|dist|state)$/u.test(source),
    });
    const dockerfile = await readFile(join(image, 'Dockerfile'), 'utf8');
    const [build = '', final = ''] = dockerfile.split(/^FROM .*$/mu).slice(1);
    const steps = [...build.matchAll(/^RUN (.*)$/gmu)].map(([, step = '']) => step);
    expect(steps[0]).toBe('npm ci');
    // The registry on loopback has nothing for other platforms, without which `npm ci` finds the lockfile incomplete.
    steps[0] = 'npm install';
    const npm = `export npm_config_registry=${registry.url} npm_config_cache=${join(packed.folder, '.npm')}`;
    await command('sh', ['-ec', [npm, ...steps].join('\n')], image);

    const bill: unknown = JSON.parse(await readFile(join(image, 'sbom.cdx.json'), 'utf8'));
    expect(bill).toMatchObject({
      bomFormat: 'CycloneDX',
      components: expect.arrayContaining([expect.objectContaining({ name: '@mcp-parts/server-kit' })]),
    });
    expect(bill).toMatchObject({
      components: expect.not.arrayContaining([expect.objectContaining({ name: 'vitest' })]),
    });
    // What the last stage takes is there, and what it starts runs.
    const copied = [...final.matchAll(/^COPY --from=build (.*) \S+$/gmu)].flatMap(([, from = '']) =>
      from.split(' '),
    );
    const present = new Set(await readdir(image));
    expect(
      copied
        .map((path) => path.replace('/app/', ''))
        .filter((name) => !name.endsWith('*') && !present.has(name)),
    ).toEqual([]);
    const [, program = ''] = /^CMD \[.*"(dist\/\w+\.js)"\]$/mu.exec(final) ?? [];
    await command(process.execPath, [program, '--help'], image);
  }, 300_000);
});
