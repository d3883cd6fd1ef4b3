import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, sep } from 'node:path';
import { json } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

/** A package as a registry has it. */
export interface RegistryPackage {
  readonly name: string;
  readonly version: string;
  readonly manifest: object;
  readonly tarball: () => Promise<Uint8Array>;
}

/** A package registry for npm and pnpm. */
export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** What was published to it since it started, in that order. */
  readonly published: readonly RegistryPackage[];
}

/** What a client sends when it publishes. */
interface Publication {
  readonly name: string;
  readonly versions: Readonly<Record<string, object>>;
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>;
}

/**
 * Serves packages on loopback, so that an install is that of a stranger and needs no network. Whoever has a token, whatever
 * it is, may publish; no version twice.
 */
export async function startRegistry(packages: readonly RegistryPackage[]): Promise<Registry> {
  const byName = Map.groupBy(packages, ({ name }) => name);
  const published: RegistryPackage[] = [];
  const tarballs = new Map<RegistryPackage, Promise<Uint8Array>>();
  const tarballOf = (one: RegistryPackage): Promise<Uint8Array> => {
    const tarball = tarballs.get(one) ?? one.tarball();
    tarballs.set(one, tarball);
    return tarball;
  };

  async function body(path: string): Promise<string | Uint8Array | undefined> {
    const [, name = '', version] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+)\.tgz)?$/u.exec(path) ?? [];
    const versions = byName.get(name);
    if (version === undefined) {
      return versions && JSON.stringify(await packument(name, versions));
    }
    const one = versions?.find((candidate) => candidate.version === version);
    return one && tarballOf(one);
  }

  async function packument(name: string, versions: readonly RegistryPackage[]): Promise<object> {
    const entries = await Promise.all(
      versions.map(async (one) => {
        const integrity = `sha512-${createHash('sha512')
          .update(await tarballOf(one))
          .digest('base64')}`;
        const dist = { tarball: `${url}/${name}/-/${one.version}.tgz`, integrity };
        return [one.version, { ...one.manifest, dist }] as const;
      }),
    );
    const latest = versions
      .map(({ version }) => version)
      .toSorted(compareVersions)
      .at(-1);
    const time = Object.fromEntries(entries.map(([version]) => [version, '2020-01-01T00:00:00.000Z']));
    return { name, 'dist-tags': { latest }, versions: Object.fromEntries(entries), time };
  }

  /** The status that answers a publication. */
  async function publish(request: IncomingMessage): Promise<number> {
    if (request.headers.authorization === undefined) {
      return 401;
    }
    // From the clients of npm and pnpm, which the tests start.
    const { name, versions, _attachments } = (await json(request)) as Publication;
    const [version = '', manifest = {}] = Object.entries(versions)[0] ?? [];
    const [attachment] = Object.values(_attachments);
    const present = byName.get(name) ?? [];
    if (attachment === undefined || present.some((one) => one.version === version)) {
      return 409;
    }
    const tarball = Buffer.from(attachment.data, 'base64');
    const one = { name, version, manifest, tarball: () => Promise.resolve(tarball) };
    byName.set(name, [...present, one]);
    published.push(one);
    return 201;
  }

  const server = createServer((request, response) => {
    const answer =
      request.method === 'PUT'
        ? publish(request).then((status) => [status, '{}'] as const)
        : body(decodeURIComponent(request.url ?? '')).then((found) =>
            found === undefined ? ([404, '{"error":"Not found"}'] as const) : ([200, found] as const),
          );
    answer.then(
      ([status, found]) => response.writeHead(status).end(found),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    published,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Every package that pnpm has installed for the workspace, in each of its versions. */
export async function installedPackages(workspace: string): Promise<RegistryPackage[]> {
  const store = join(workspace, 'node_modules/.pnpm');
  const folders = (await readdir(store)).filter((name) => name.includes('@'));
  const found = await Promise.all(folders.map((name) => packagesIn(join(store, name, 'node_modules'))));
  const packages = await Promise.all(found.flat().map(installedPackage));
  // A package with several sets of peers is there several times.
  return [...new Map(packages.map((one) => [`${one.name}@${one.version}`, one])).values()];
}

/** The folders that are packages; the links beside them are what these depend on. */
async function packagesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = entries
    .filter((entry) => entry.isDirectory() && entry.name !== '.bin')
    .map(({ name }) =>
      name.startsWith('@') ? packagesIn(join(folder, name)) : Promise.resolve([join(folder, name)]),
    );
  return (await Promise.all(nested)).flat();
}

async function installedPackage(folder: string): Promise<RegistryPackage> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
  };
  return { name: manifest.name, version: manifest.version, manifest, tarball: () => pack(folder) };
}

/** A tarball of a folder. `tar` would store files that share their contents, as pnpm has them, once. */
async function pack(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).split(sep).includes('node_modules'));
  const blocks = await Promise.all(
    files.map(async (file) => {
      const contents = await readFile(file);
      const name = `package/${relative(folder, file).replaceAll(sep, '/')}`;
      return [tarHeader(name, contents.length), contents, Buffer.alloc(-contents.length & 511)];
    }),
  );
  return gzipSync(Buffer.concat([...blocks.flat(), Buffer.alloc(1024)]), { level: 1 });
}

/** POSIX.1-1988, "ustar". */
function tarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  // What does not fit into the name goes before it.
  const cut = path.length <= 100 ? -1 : path.indexOf('/', path.length - 101);
  header.write(path.slice(cut + 1), 0);
  header.write('0000644\0' + '0000000\0'.repeat(2), 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0        0`, 124);
  header.write('ustar\x0000', 257);
  header.write(path.slice(0, Math.max(cut, 0)), 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}
