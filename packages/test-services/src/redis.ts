import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { endAtOnce } from './end-at-once.ts';
import { findService } from './find-service.ts';
import { freePort } from './free-port.ts';
import type { Certificate } from './self-signed-certificate.ts';

/** What a Redis is started with. */
export interface RedisOptions {
  /** Arguments of `redis-server` besides those that every test needs. @default none */
  readonly settings?: readonly string[] | undefined;
  /** Serves TLS with it, and nothing else. @default cleartext only */
  readonly certificate?: Certificate | undefined;
}

/** A Redis on loopback that keeps what it was told, and that a test may break in every way. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Ends it at once, as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it again, on the same port and with the same data. */
  readonly restart: () => Promise<void>;
  /** Stops it without closing its connections, as an overloaded machine does. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/**
 * Starts a Redis of the test's own on a free port, with an append-only file and without eviction.
 * @throws {Error} when it does not come up, or is not installed
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = findService({ program: 'redis-server', debianPackage: 'redis-server' }) ?? '';
  if (program === '') {
    throw new Error('redis-server is not installed');
  }
  const { settings = [], certificate } = options;
  const directory = await mkdtemp(join(tmpdir(), 'mcp-redis-'));
  const port = await freePort();
  const files = [
    '--tls-cert-file',
    join(directory, 'cert.pem'),
    '--tls-key-file',
    join(directory, 'key.pem'),
  ];
  const ports =
    certificate === undefined
      ? ['--port', String(port)]
      : ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
  const listen = ['--bind', '127.0.0.1', ...ports, '--dir', directory, '--save', ''];
  const keep = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
  let server: ChildProcess | undefined;
  const endServer = (): void => void server?.kill('SIGKILL');

  async function start(): Promise<void> {
    const child = spawn(program, [...listen, ...keep, ...settings], { stdio: ['ignore', 'pipe', 'ignore'] });
    server = child;
    // Whatever ends this process, short of SIGKILL, ends the server too.
    process.once('exit', endServer);
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (/ready to accept connections/iu.test(line)) {
        child.stdout.resume();
        return;
      }
    }
    throw new Error(`redis-server does not come up:\n${said.join('\n')}`);
  }

  async function kill(): Promise<void> {
    process.off('exit', endServer);
    await endAtOnce(server);
  }

  const close = async (): Promise<void> => {
    await kill();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    if (certificate !== undefined) {
      await writeFile(join(directory, 'cert.pem'), certificate.cert);
      await writeFile(join(directory, 'key.pem'), certificate.key, { mode: 0o600 });
    }
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    url: `${certificate === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    kill,
    restart: start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    [Symbol.asyncDispose]: close,
  };
}
