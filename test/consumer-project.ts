import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

import ts from 'typescript';

import { command } from '../scripts/run-command.ts';
import { workspace, type Manifest, type PackedPackage } from './packed-packages.ts';

const run = promisify(execFile);
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** Which versions of its peers a project has: the oldest that the packages allow, or the newest there are. */
export type PeerVersions = 'oldest' | 'newest';

/** How a project's compiler finds modules. Of `nodenext` and `node16`, both ES modules and CommonJS are compiled. */
export type Resolution = 'nodenext' | 'node16' | 'bundler';

/** What a project must install besides some packages: their peers. `optional` ones too, if asked. */
export function peersOf(
  packages: readonly PackedPackage[],
  versions: PeerVersions,
  withOptional: boolean,
): Record<string, string> {
  const peers: Record<string, string> = {};
  for (const { manifest } of packages) {
    for (const [name, range] of Object.entries(manifest.peerDependencies ?? {})) {
      if (!withOptional && isOptional(manifest, name)) {
        continue;
      }
      const oldest = [range.replace('^', ''), peers[name] ?? '0'].toSorted(compareVersions).at(-1) ?? '';
      peers[name] = versions === 'newest' || isOptional(manifest, name) ? 'latest' : oldest;
    }
  }
  return peers;
}

function isOptional({ peerDependenciesMeta }: Manifest, name: string): boolean {
  return peerDependenciesMeta?.[name]?.optional === true;
}

function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

/** Writes a project that depends on what is given, and types for Node. */
export async function writeProject(folder: string, dependencies: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = {
    name: folder.replaceAll(/[^a-z0-9]+/giu, '-').toLowerCase(),
    private: true,
    dependencies: { '@types/node': 'latest', ...dependencies },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
}

/** Installs a project from a registry with npm. Rejects with what npm says. */
export async function npmInstall(folder: string, registry: string): Promise<void> {
  // Its own cache: the same version of our packages has other contents each time.
  const settings = [
    '--registry',
    registry,
    '--cache',
    join(folder, '.npm'),
    '--userconfig',
    join(folder, '.npmrc'),
  ];
  await command('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...settings], folder);
}

/** Installs every project in a folder with pnpm; none sees a package that it, or the package itself, does not name. */
export async function pnpmInstall(folder: string, registry: string): Promise<void> {
  const settings = {
    packages: ['*'],
    hoist: false,
    autoInstallPeers: false,
    strictPeerDependencies: true,
    // swagger-parser asks for types that it does not need.
    peerDependencyRules: { ignoreMissing: ['openapi-types'] },
    minimumReleaseAge: 0,
    storeDir: join(folder, '.store'),
    cacheDir: join(folder, '.cache'),
  };
  // JSON is YAML.
  await writeFile(join(folder, 'pnpm-workspace.yaml'), JSON.stringify(settings));
  await writeFile(join(folder, '.npmrc'), `registry=${registry}\n`);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  await command('pnpm', ['install', '--ignore-scripts'], folder);
}

/** Runs a program in a project, and returns what it prints to standard output as JSON; it may print nothing else. */
export async function evaluate(
  folder: string,
  kind: 'module' | 'commonjs',
  source: string,
): Promise<unknown> {
  const { stdout, stderr } = await run(process.execPath, [`--input-type=${kind}`, '--eval', source], {
    cwd: folder,
    timeout: 60_000,
    env: {},
  });
  if (stderr !== '') {
    throw new Error(stderr);
  }
  return JSON.parse(stdout);
}

/** The errors of a compiler that checks everything which some modules say of their types, third parties' aside. */
export async function typeErrors(
  folder: string,
  specifiers: readonly string[],
  resolution: Resolution,
): Promise<string> {
  const source = specifiers.map((name, index) => `export * as entry${index} from '${name}';`).join('\n');
  const names = resolution === 'bundler' ? ['bundler.ts'] : [`${resolution}.mts`, `${resolution}.cts`];
  const files = names.map((name) => join(folder, name));
  await Promise.all(files.map((file) => writeFile(file, source)));

  const program = ts.createProgram(files, {
    ...resolutions[resolution],
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    typeRoots: [join(folder, 'node_modules/@types')],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  });
  const problems = program
    .getSourceFiles()
    .filter(
      ({ fileName }) => names.some((name) => fileName.endsWith(name)) || fileName.includes('/@mcp-parts/'),
    )
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]);
  return ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => folder,
    getNewLine: () => '\n',
  });
}

const resolutions: Readonly<Record<Resolution, ts.CompilerOptions>> = {
  nodenext: { module: ts.ModuleKind.NodeNext },
  node16: { module: ts.ModuleKind.Node16 },
  bundler: { module: ts.ModuleKind.Preserve, moduleResolution: ts.ModuleResolutionKind.Bundler },
};

/** What the compiler makes of one file, with at most so much memory. */
export async function compile(
  file: string,
  { memoryMiB }: { readonly memoryMiB: number },
): Promise<{ readonly output: string; readonly instantiations: number }> {
  const options = ['--module', 'nodenext', '--target', 'es2024', '--strict', '--noEmit', '--skipLibCheck'];
  const { stdout } = await run(
    process.execPath,
    [`--max-old-space-size=${memoryMiB}`, tsc, ...options, '--types', 'node', '--extendedDiagnostics', file],
    // A compiler that is out of memory may not find out for minutes.
    { cwd: join(file, '..'), timeout: 120_000, maxBuffer: 2 ** 26 },
  ).catch((error: { stdout: string; code?: number; signal?: string }) => {
    // 1 and 2: there are errors in the source.
    if (error.code === 1 || error.code === 2) {
      return error;
    }
    throw new Error(`tsc ended with ${error.code ?? error.signal}`, { cause: error });
  });
  const [output = '', diagnostics = ''] = stdout.split(/^Files: /mu);
  return { output, instantiations: Number(/Instantiations: +(\d+)/u.exec(diagnostics)?.[1]) };
}

/** The folder from which a project, or a package that it has installed, gets a package. */
export function resolvedFrom(folder: string, name: string, by?: string): string {
  const project = createRequire(join(folder, 'x.js'));
  const from = by === undefined ? project : createRequire(project.resolve(`${by}/package.json`));
  return from.resolve(name);
}

/** An older version of a package, from the workspace. */
export function workspacePackage(name: string): string {
  return join(workspace, 'packages/tool-kit/node_modules', name);
}
