import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { releaseDryRun, type ReleaseDryRun } from '../scripts/release-dry-run.ts';
import { command } from '../scripts/run-command.ts';
import { npmInstall, pnpmInstall, writeProject } from './consumer-project.ts';
import { publishedPackages, workspace } from './packed-packages.ts';

const names = (await publishedPackages()).map(({ name }) => name).toSorted();

let release: ReleaseDryRun;

beforeAll(async () => {
  release = await releaseDryRun();
  const consumers = join(release.copy, '..');
  const wanted = ['server-kit', 'tool-kit', 'auth', 'observability'].map((name) => `@mcp-parts/${name}`);
  // Nothing is said of versions: what a stranger gets who types the names.
  const latest = Object.fromEntries([...wanted, 'zod', '@opentelemetry/api'].map((name) => [name, 'latest']));
  await writeProject(join(consumers, 'npm'), latest);
  await npmInstall(join(consumers, 'npm'), release.registry.url);
  await writeProject(join(consumers, 'pnpm/one'), latest);
  await pnpmInstall(join(consumers, 'pnpm'), release.registry.url);
  // Versions, publishes and installs twice with nothing cached; the limit is for a busy machine.
}, 600_000);

afterAll(async () => {
  await release?.[Symbol.asyncDispose]();
});

describe('a release', () => {
  it('publishes every package once, in a version of its own, and tags it', () => {
    expect(release.published.map(({ name }) => name).toSorted()).toEqual(names);
    const tags = release.published.map(({ name, version }) => `${name}@${version}`);
    expect(release.tags).toEqual(expect.arrayContaining(tags));
    expect(tags.filter((tag) => tag.endsWith('@0.0.0'))).toEqual([]);
  });

  it('publishes nothing when it runs again', async () => {
    await release.publish();
    expect(release.published).toHaveLength(names.length);
    // It asks the registry of each package in turn; the limit is for a busy machine.
  }, 120_000);

  it('publishes ranges that a registry can resolve', () => {
    const manifests = JSON.stringify(release.published.map(({ manifest }) => manifest));
    expect(manifests).not.toMatch(/"(?:workspace|catalog|link|file):/u);
  });

  it.each(names)('says in the changelog of %s what a user has of it, and no commit', async (name) => {
    const folder = join(release.copy, 'packages', name.replace('@mcp-parts/', ''));
    const changelog = await readFile(join(folder, 'CHANGELOG.md'), 'utf8');
    const version = release.published.find((one) => one.name === name)?.version;
    const [, latest = ''] = changelog.split(/^## .*$/mu);

    expect(changelog).toContain(`\n## ${version}\n`);
    expect(latest).toMatch(/^- \S.{30}/mu);
    expect(latest).not.toMatch(/^- (?:[0-9a-f]{7}:|Updated dependencies)/mu);
    expect(latest.match(/^- Goes with/gmu)?.length ?? 0).toBeLessThan(2);
  });
});

describe.each(['npm', 'pnpm/one'])('what %s has installed of a release', (consumer) => {
  it.each([
    ['server.mjs', (name: string, parts: string) => `import { ${parts} } from '${name}';`],
    ['server.cjs', (name: string, parts: string) => `const { ${parts} } = require('${name}');`],
  ] as const)('is a server that answers a client (%s)', async (file, importing) => {
    const program = join(release.copy, '..', consumer, file);
    await writeFile(program, letterServer(importing, join(program, '../state')));
    const client = new Client({ name: 'somebody', version: '1.0.0' });
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [program], stderr: 'ignore' }),
    );

    const { structuredContent } = await client.callTool({ name: 'count', arguments: { of: 'abc' } });
    await client.close();

    expect(structuredContent).toEqual({ letters: 3 });
  });
});

/** Licences that ask for no more than to be named. */
const ALLOWED = new Set(['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'PSF-2.0']);

describe('what is installed with the packages and the servers', () => {
  it('has licences that an organisation can accept', async () => {
    const folders = ['--filter', './packages/*', '--filter', './apps/*'];
    const listed = await command('pnpm', [...folders, 'licenses', 'list', '--prod', '--json'], workspace);
    const byLicence = JSON.parse(listed) as Record<string, readonly { readonly name: string }[]>;
    const others = Object.entries(byLicence)
      .filter(([licence]) => !ALLOWED.has(licence))
      .map(([licence, packages]) => `${licence}: ${packages.map(({ name }) => name).join(', ')}`);
    expect(byLicence['MIT']?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['undici', 'jose', 'zod']),
    );
    expect(others).toEqual([]);
  });

  it('is in the bill of materials', async () => {
    const bill = await command('pnpm', ['sbom', '--sbom-format', 'cyclonedx', '--prod'], workspace);
    const { bomFormat, components } = JSON.parse(bill) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly purl: string }[];
    };
    expect(bomFormat).toBe('CycloneDX');
    const purls = components.map(({ purl }) => purl).join('\n');
    for (const name of ['undici', 'jose', 'pino', 'ioredis', 'opossum']) {
      expect(purls).toMatch(new RegExp(`^pkg:npm/${name}@\\d`, 'mu'));
    }
  });
});

/** A server of one tool, in either module system. */
function letterServer(importing: (name: string, parts: string) => string, stateDirectory: string): string {
  return `${[
    importing('@mcp-parts/auth', 'localCaller'),
    importing('@mcp-parts/observability', 'createLogger'),
    importing('@mcp-parts/server-kit', 'assembleServer, serveStdio'),
    importing('@mcp-parts/tool-kit', 'defineTool'),
    importing('zod', 'z'),
  ].join('\n')}
const count = defineTool({
  name: 'count', title: 'Count', description: 'Counts letters.',
  input: z.strictObject({ of: z.string() }),
  output: z.object({ letters: z.int() }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'letters:count',
  handle: async ({ of }) => ({ letters: of.length }),
  text: ({ letters }) => 'It has ' + letters + '.',
});
(async () => {
  const logger = createLogger({ name: 'letters' });
  const serverInfo = { name: 'letters', version: '1.0.0' };
  const stateDirectory = ${JSON.stringify(stateDirectory)};
  const server = await assembleServer({ serverInfo, definitions: { tools: [count] }, logger, stateDirectory });
  await serveStdio(server, { caller: localCaller({ name: 'me', permissions: ['letters:count'] }) });
  await server[Symbol.asyncDispose]();
})();
`;
}
