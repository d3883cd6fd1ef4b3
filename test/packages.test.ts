import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';

import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { installedPackages, startRegistry, type Registry } from '../scripts/loopback-registry.ts';
import { manyTools, secretTool, tracedCall } from './consumer-programs.ts';
import {
  compile,
  evaluate,
  npmInstall,
  peersOf,
  pnpmInstall,
  resolvedFrom,
  typeErrors,
  workspacePackage,
  writeProject,
} from './consumer-project.ts';
import {
  entryPoints,
  packPackages,
  publishedPackages,
  workspace,
  type Manifest,
  type PackedPackage,
  type PackedPackages,
} from './packed-packages.ts';

const manifests = await publishedPackages();
const everyEntry = manifests.flatMap(entryPoints);
const sharers = (name: string): string[] =>
  manifests
    .filter(({ peerDependencies }) => peerDependencies?.[name] !== undefined)
    .map((manifest) => manifest.name);

let packed: PackedPackages;
let registry: Registry;

beforeAll(async () => {
  packed = await packPackages();
  const all = [...packed.packages.values()];
  registry = await startRegistry([...all, ...(await installedPackages(workspace))]);
  for (const versions of ['oldest', 'newest'] as const) {
    const dependencies = { ...versionsOf(all), ...peersOf(all, versions, true) };
    await writeProject(project(`npm/${versions}`), dependencies);
    await writeProject(project(`pnpm/${versions}`), dependencies);
    await npmInstall(project(`npm/${versions}`), registry.url);
  }
  for (const one of all) {
    await writeProject(alone(one.manifest), { ...versionsOf([one]), ...peersOf([one], 'oldest', false) });
  }
  await pnpmInstall(project('pnpm'), registry.url);
  // Apart: pnpm links an optional peer that another project of the folder has.
  await pnpmInstall(project('alone'), registry.url);
  // Eleven projects with nothing cached; the limit is for a busy machine.
}, 600_000);

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await packed?.[Symbol.asyncDispose]();
});

/** The members of a source map that the tests read. */
interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly string[];
}

describe.each(manifests)('the tarball of $name', (manifest) => {
  it('has what a reader looks for, what it exports, and no tests', async () => {
    const files = await packedPackage(manifest).files();
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
    expect(files).toEqual(expect.arrayContaining(exportedFiles(manifest.exports)));
    // What create-mcp-parts writes has tests of its own.
    const ours = files.filter((file) => !/^(?:template|snippets)\//u.test(file));
    expect(ours.filter((file) => /\.(test|test-d|bench)\.|(^|\/)test\//.test(file))).toEqual([]);
  });

  it('has the sources that its maps point at, once, and no path of the machine it was built on', async () => {
    const files = await packedPackage(manifest).files();
    const maps = files.filter((file) => file.endsWith('.map'));
    const installed = join(project('npm/newest'), 'node_modules', manifest.name);
    expect(maps.length).toBeGreaterThan(0);
    for (const file of maps) {
      const map = JSON.parse(await readFile(join(installed, file), 'utf8')) as SourceMap;
      const sources = map.sources.map((source) => posix.join(posix.dirname(file), source));
      expect(sources.filter((source) => !files.includes(source))).toEqual([]);
      expect(map.sourcesContent).toBeUndefined();
    }
  });

  it('passes publint', async () => {
    const { messages, pkg } = await publint({
      pkgDir: join(project('npm/newest'), 'node_modules', manifest.name),
      pack: false,
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has types that fit its modules', async () => {
    const tarball = await packedPackage(manifest).tarball();
    const analysis = await checkPackage(createPackageFromTarballData(tarball));
    expect(analysis.types).toEqual({ kind: 'included' });
    expect('problems' in analysis ? analysis.problems.filter(concernsUs) : []).toEqual([]);
  });

  it('works alone, beside nothing but its peers in their oldest version', async () => {
    const entries = entryPoints(manifest).filter((entry) => !needsOptionalPeer(entry));
    const namesOf = (load: string): string =>
      `Promise.all(${JSON.stringify(entries)}.map(async (name) => Object.keys(await ${load}(name))
        .filter((key) => key !== 'module.exports').sort())).then((names) => console.log(JSON.stringify(names)));`;

    const imported = await evaluate(alone(manifest), 'module', namesOf('import'));
    const required = await evaluate(alone(manifest), 'commonjs', namesOf('require'));

    expect(imported).toEqual(required);
    expect(await typeErrors(alone(manifest), entries, 'nodenext')).toBe('');
  });
});

describe.each(['npm/oldest', 'npm/newest', 'pnpm/oldest', 'pnpm/newest'])('a project of %s', (name) => {
  it.each(['zod', '@opentelemetry/api'])('has one %s with all who show it', (peer) => {
    const own = resolvedFrom(project(name), peer);
    expect(sharers(peer).map((by) => [by, resolvedFrom(project(name), peer, by)])).toEqual(
      sharers(peer).map((by) => [by, own]),
    );
  });

  it.each([
    [
      'module',
      `import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit'; import { z } from 'zod';`,
    ],
    [
      'commonjs',
      `const { createCatalog, createMethodTable, defineTool } = require('@mcp-parts/tool-kit'); const { z } = require('zod');`,
    ],
  ] as const)('keeps a secret out of the trail and says the rest to clients (%s)', async (kind, imports) => {
    expect(await evaluate(project(name), kind, secretTool(imports))).toEqual({
      recorded: { user: 'ada', password: '[withheld]' },
      properties: {
        user: { type: 'string', description: 'Who signs in' },
        password: { type: 'string', minLength: 1 },
      },
    });
  });
});

describe.each(['npm/oldest', 'npm/newest'])('the compiler of a project of %s', (name) => {
  it.each(['nodenext', 'node16', 'bundler'] as const)(
    'takes the types of all packages, and checks them (%s)',
    async (resolution) => {
      expect(await typeErrors(project(name), everyEntry, resolution)).toBe('');
    },
  );

  it('takes 50 tools with little work', async () => {
    const file = join(project(name), 'many-tools.mts');
    await writeFile(file, manyTools(50));

    const { output, instantiations } = await compile(file, { memoryMiB: 384 });

    expect(output).toBe('');
    expect(instantiations).toBeLessThan(80_000);
  });
});

describe('a project with another zod than the packages have', () => {
  it('does not compile, and is told why in a few lines', async () => {
    const file = join(project('npm/newest/other-zod'), 'many-tools.mts');
    await link(join(dirname(file), 'node_modules/zod'), join(project('npm/oldest'), 'node_modules/zod'));
    await writeFile(file, manyTools(50));

    const { output, instantiations } = await compile(file, { memoryMiB: 384 });

    expect(output.match(/The types of '_zod\.version\.minor' are incompatible/gu)).toHaveLength(100);
    expect(instantiations).toBeLessThan(80_000);
  });

  it('is not installed by npm when that zod is too old', async () => {
    const folder = project('npm/too-old');
    await writeProject(folder, {
      ...versionsOf([packedPackage({ name: '@mcp-parts/tool-kit' })]),
      zod: '4.1.12',
    });
    await expect(npmInstall(folder, registry.url)).rejects.toThrow(/ERESOLVE[^]*peer zod@/u);
  });

  it('does not start where that was forced', async () => {
    const folder = project('npm/forced');
    const installed = join(folder, 'node_modules/@mcp-parts/tool-kit');
    await link(join(folder, 'node_modules/zod'), workspacePackage('zod-4.1'));
    await cp(join(project('npm/newest'), 'node_modules/@mcp-parts/tool-kit'), installed, { recursive: true });
    const imports = `import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit'; import { z } from 'zod';`;

    await expect(evaluate(folder, 'module', secretTool(imports))).rejects.toThrow(
      'tool "sign_in": input was made with zod 4.1.12, but mcp-parts needs 4.3.0 or newer',
    );
  });
});

it('traces in a program with the oldest OpenTelemetry API, and an SDK of its time', async () => {
  const folder = project('npm/tracing');
  const client = [packedPackage({ name: '@mcp-parts/resilient-client' })];
  await writeProject(folder, {
    ...versionsOf(client),
    ...peersOf(client, 'oldest', false),
    '@opentelemetry/sdk-trace-base': '^2.0.0',
    zod: 'latest',
  });
  await npmInstall(folder, registry.url);

  expect(await evaluate(folder, 'module', tracedCall)).toEqual({ spans: 2, isSent: true });
});

function project(name: string): string {
  return join(packed.folder, name);
}

function alone({ name }: Pick<Manifest, 'name'>): string {
  return project(`alone/${name.replace('@mcp-parts/', '')}`);
}

function packedPackage({ name }: Pick<Manifest, 'name'>): PackedPackage {
  const found = packed.packages.get(name);
  if (found === undefined) {
    throw new Error(`pnpm packed no tarball for ${name}`);
  }
  return found;
}

function versionsOf(packages: readonly PackedPackage[]): Record<string, string> {
  return Object.fromEntries(packages.map(({ name, version }) => [name, version]));
}

/** What binds to an SDK needs that SDK. */
function needsOptionalPeer(entry: string): boolean {
  return /\/sdk-20\d\d$/u.test(entry);
}

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path, 'junction');
}

/**
 * node10 is left out: that resolution, of TypeScript before 4.7, knows no `exports`, and every Node the packages run
 * on has them.
 */
function concernsUs(problem: Problem): boolean {
  const resolution =
    'resolutionKind' in problem
      ? problem.resolutionKind
      : 'resolutionOption' in problem
        ? problem.resolutionOption
        : undefined;
  return resolution !== 'node10';
}

/** Every file a conditional export points at. */
function exportedFiles(target: unknown): string[] {
  if (typeof target === 'string') {
    return [target.replace('./', '')];
  }
  return typeof target === 'object' && target !== null ? Object.values(target).flatMap(exportedFiles) : [];
}
