// The release as the workflow makes it, into a registry on loopback: versions and changelogs from the changesets, every
// package published, the tags. In a copy of the workspace, so nothing here changes:
//
//   pnpm release:dry-run
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  installedPackages,
  startRegistry,
  type Registry,
  type RegistryPackage,
} from './loopback-registry.ts';
import { command } from './run-command.ts';

const workspace = fileURLToPath(new URL('..', import.meta.url));

/** A release that nobody else can see. */
export interface ReleaseDryRun extends AsyncDisposable {
  /** Has what was published, and what that needs. */
  readonly registry: Registry;
  readonly published: readonly RegistryPackage[];
  /** The tags of the release: `@mcp-parts/audit@0.1.0`. */
  readonly tags: readonly string[];
  /** Holds the copy of the workspace, as the release has left it. */
  readonly copy: string;
  /** Publishes what the registry lacks, as `pnpm release` does after its build. */
  readonly publish: () => Promise<void>;
}

/** Releases the packages as they stand in the working tree, from what was built last. */
export async function releaseDryRun(): Promise<ReleaseDryRun> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'mcp-parts-release-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const copy = join(folder, 'workspace');
  await copyWorkspace(copy);
  const registry = undo.use(await startRegistry(await installedPackages(workspace)));

  await command('pnpm', ['install', '--offline', '--frozen-lockfile', '--ignore-scripts'], copy);
  await command('pnpm', ['version-packages'], copy);
  await commit(copy, 'release');
  // Any token: this registry asks for one, and does not look at it.
  const { host } = new URL(registry.url);
  await writeFile(join(copy, '.npmrc'), `registry=${registry.url}/\n//${host}/:_authToken=dry-run\n`);
  const publish = async (): Promise<void> => void (await command('pnpm', ['changeset', 'publish'], copy));
  await publish();

  const tags = (await command('git', ['tag', '--list'], copy)).split('\n').filter((tag) => tag !== '');
  const kept = undo.move();
  return {
    registry,
    published: registry.published,
    tags,
    copy,
    publish,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Copies what git would have, changes that are not committed included, and what was built. */
async function copyWorkspace(copy: string): Promise<void> {
  const listed = await command(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    workspace,
  );
  const built = (await readdir(join(workspace, 'packages'))).map((name) => `packages/${name}/dist`);
  for (const path of [...listed.split('\0').filter((name) => name !== ''), ...built]) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    // A file that was removed is listed until that is committed, and not everything is built.
    await cp(join(workspace, path), join(copy, path), { recursive: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') {
          throw error;
        }
      },
    );
  }
  await command('git', ['init', '--quiet', '--initial-branch', 'main'], copy);
  await commit(copy, 'workspace');
}

async function commit(copy: string, message: string): Promise<void> {
  const author = ['-c', 'user.name=dry-run', '-c', 'user.email=dry-run@localhost'];
  await command('git', ['add', '--all'], copy);
  await command('git', [...author, 'commit', '--quiet', '--no-verify', '--message', message], copy);
}

if (import.meta.main) {
  await using release = await releaseDryRun();
  for (const { name } of release.published) {
    const changelog = await readFile(join(release.copy, 'packages', folderOf(name), 'CHANGELOG.md'), 'utf8');
    process.stdout.write(`\n${changelog}`);
  }
  const names = release.published.map(({ name, version }) => `  ${name} ${version}\n`);
  process.stdout.write(`\nWould publish:\n${names.join('')}`);
}

function folderOf(name: string): string {
  return name.replace('@mcp-parts/', '');
}
