import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/** The fields of a published package.json that the tests read. */
export interface Manifest {
  name: string;
  private?: boolean;
  exports: Record<string, string | Record<string, unknown>>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** The packages of this workspace that are published: the folder of each and its manifest. */
export async function publishedPackages(): Promise<{ folder: string; manifest: Manifest }[]> {
  const names = await readdir(join(root, 'packages'));
  const packages = await Promise.all(
    names.map(async (name) => {
      const folder = join(root, 'packages', name);
      return { folder, manifest: await readManifest(folder) };
    }),
  );
  return packages.filter(({ manifest }) => manifest.private !== true);
}

/** The specifiers under which a package's modules are imported: `@mcp-parts/audit`, `@mcp-parts/audit/testing`. */
export function entryPoints({ name, exports }: Manifest): string[] {
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([subpath]) => subpath.replace('.', name));
}

/** A project outside the workspace that has installed the published packages from their tarballs. */
export interface Consumer extends AsyncDisposable {
  readonly folder: string;
  /** The folder an installed package is in. */
  installed(name: string): string;
  tarball(name: string): Promise<Uint8Array>;
  /** Paths of the files in a package's tarball, relative to the package. */
  files(name: string): Promise<string[]>;
}

/** Packs every published package as `pnpm publish` would and installs the tarballs in a temporary project. */
export async function createConsumer(): Promise<Consumer> {
  // The real path, as compilers report it: the temporary folder is a symbolic link on macOS.
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'mcp-parts-consumer-'));
  const tarballs = join(folder, 'tarballs');
  await run('pnpm', ['--filter', './packages/*', 'pack', '--pack-destination', tarballs], { cwd: root });

  const installed = (name: string): string => join(folder, 'node_modules', name);
  for (const { folder: source, manifest } of await publishedPackages()) {
    const target = installed(manifest.name);
    await mkdir(target, { recursive: true });
    const tarball = join(tarballs, await tarballName(manifest.name));
    await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
    await linkDependencies(source, target);
  }

  async function tarballName(name: string): Promise<string> {
    const stem = `${name.replace('@', '').replace('/', '-')}-`;
    const file = (await readdir(tarballs)).find(
      (candidate) => candidate.startsWith(stem) && /^\d/.test(candidate.slice(stem.length)),
    );
    if (file === undefined) {
      throw new Error(`pnpm packed no tarball for ${name}`);
    }
    return file;
  }

  return {
    folder,
    installed,
    tarball: async (name) => readFile(join(tarballs, await tarballName(name))),
    files: async (name) => {
      const { stdout } = await run('tar', ['-tzf', join(tarballs, await tarballName(name))]);
      return stdout
        .trim()
        .split('\n')
        .map((file) => file.replace('package/', ''));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Gives an installed package the dependencies its published manifest names, and no others, so that an import it does
 * not declare fails. They are links to what the workspace has installed; its own packages are found as tarballs.
 */
async function linkDependencies(source: string, installed: string): Promise<void> {
  const { dependencies, peerDependencies } = await readManifest(installed);
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (name.startsWith('@mcp-parts/')) {
      continue;
    }
    const link = join(installed, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(await realpath(join(source, 'node_modules', name)), link);
  }
}

async function readManifest(folder: string): Promise<Manifest> {
  // Our own manifests; a wrong one makes the tests that use it fail.
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}
