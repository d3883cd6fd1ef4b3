import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { RegistryPackage } from '../scripts/loopback-registry.ts';
import { command } from '../scripts/run-command.ts';

const run = promisify(execFile);

/** The folder of the workspace. */
export const workspace = fileURLToPath(new URL('..', import.meta.url));

/** The fields of a published package.json that the tests read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** The manifests of the workspace's packages that are published, as they stand in the workspace. */
export async function publishedPackages(): Promise<Manifest[]> {
  const folder = join(workspace, 'packages');
  const manifests = (await readdir(folder)).map((name) => readManifest(join(folder, name, 'package.json')));
  return (await Promise.all(manifests)).filter((manifest) => manifest.private !== true);
}

/** The specifiers under which a package's modules are imported: `@mcp-parts/audit`, `@mcp-parts/audit/testing`. */
export function entryPoints({ name, exports }: Manifest): string[] {
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([subpath]) => subpath.replace('.', name));
}

/** A package as it is published. */
export interface PackedPackage extends RegistryPackage {
  readonly manifest: Manifest;
  /** Paths of the files in the tarball, relative to the package. */
  readonly files: () => Promise<string[]>;
}

/** The packages as `pnpm publish` would upload them. */
export interface PackedPackages extends AsyncDisposable {
  /** Holds the tarballs, and what a test puts beside them. */
  readonly folder: string;
  readonly packages: ReadonlyMap<string, PackedPackage>;
}

/** Packs every published package into a temporary folder. */
export async function packPackages(): Promise<PackedPackages> {
  // The real path, as compilers report it: the temporary folder is a symbolic link on macOS.
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'mcp-parts-packed-'));
  const tarballs = join(folder, 'tarballs');
  await command('pnpm', ['--filter', './packages/*', 'pack', '--pack-destination', tarballs], workspace);
  const packages = await Promise.all(
    (await readdir(tarballs)).map((name) => packedPackage(join(tarballs, name))),
  );
  return {
    folder,
    packages: new Map(
      packages.filter(({ manifest }) => manifest.private !== true).map((one) => [one.name, one]),
    ),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function packedPackage(file: string): Promise<PackedPackage> {
  const { stdout } = await run('tar', ['-xzOf', file, 'package/package.json']);
  const manifest = JSON.parse(stdout) as Manifest;
  return {
    name: manifest.name,
    version: manifest.version,
    manifest,
    tarball: () => readFile(file),
    files: async () => {
      const listed = await run('tar', ['-tzf', file]);
      return listed.stdout
        .trim()
        .split('\n')
        .map((name) => name.replace('package/', ''));
    },
  };
}

async function readManifest(file: string): Promise<Manifest> {
  // Our own manifests; a wrong one makes the tests that use it fail.
  return JSON.parse(await readFile(file, 'utf8')) as Manifest;
}
