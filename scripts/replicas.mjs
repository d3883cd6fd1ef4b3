// What several servers of the demo need beside them: a Redis of their own, and a balancer in front.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { startBalancer } from './balancer.mjs';

const MAX_REPLICAS = 9;
const READY_WITHIN_MS = 10_000;

/** How many servers `--replicas N` asks for; undefined without it. @throws {RangeError} for any other number */
export function replicasOf(argv) {
  const index = argv.findIndex((argument) => argument === '--replicas' || argument.startsWith('--replicas='));
  if (index === -1) {
    return undefined;
  }
  const text = argv[index].split('=')[1] ?? argv[index + 1] ?? '';
  if (!/^[2-9]$/u.test(text)) {
    throw new RangeError(
      `--replicas must be a number from 2 to ${MAX_REPLICAS}, got ${JSON.stringify(text)}`,
    );
  }
  return Number(text);
}

/** A free port of loopback. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** Where a program is; undefined when it is not installed. */
export function findInstalled(name, path = process.env.PATH ?? '') {
  const folders = [...path.split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'].filter(Boolean);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The settings that all servers have in common. */
export async function sharedSettings(data, redisUrl) {
  const file = join(data, 'session-key');
  if (!existsSync(file)) {
    await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  }
  return { REDIS_URL: redisUrl, SESSION_KEY: await readFile(file, 'utf8'), TRUSTED_PROXIES: '127.0.0.1' };
}

/** Starts a Redis on a free port that keeps what it is told in the folder. @throws {Error} when it is not installed */
export async function startRedis(data) {
  const program = findInstalled('redis-server');
  if (program === undefined) {
    throw new Error('Replicas share a Redis: install redis-server (Debian: apt-get install redis-server).');
  }
  const directory = join(data, 'redis');
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const keep = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction', '--save', '', '--dir', directory];
  const child = startBeside(program, ['--bind', '127.0.0.1', '--port', String(port), ...keep]);
  return { url: `redis://127.0.0.1:${port}`, stop: () => end(child) };
}

/** Puts nginx in front of the servers, or a small balancer of the demo's own. Gives its name. */
export async function startFront(data, port, targets) {
  const program = findInstalled('nginx');
  if (program === undefined) {
    const balancer = await startBalancer(port, targets);
    return { name: 'a balancer of its own', stop: () => balancer.close() };
  }
  const directory = join(data, 'nginx');
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'nginx.conf');
  await writeFile(file, nginxConfiguration(directory, port, targets));
  const child = startBeside(program, ['-p', directory, '-e', 'stderr', '-c', file]);
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await end(child);
      throw new Error(`nginx does not come up on port ${port}.`);
    }
    await setTimeout(50);
  }
  return { name: 'nginx', stop: () => end(child) };
}

/** Answers are passed on as they come, and a server that does not answer is passed over. */
function nginxConfiguration(directory, port, targets) {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  ${places.map((name) => `${name}_temp_path ${join(directory, name)};`).join('\n  ')}
  upstream servers {
    ${targets.map((target) => `server 127.0.0.1:${target} max_fails=1 fail_timeout=2s;`).join('\n    ')}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://servers;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_connect_timeout 1s;
      proxy_read_timeout 1h;
    }
  }
}
`;
}

/** In a process group of its own: Ctrl-C reaches the demo alone, which ends what is beside it last. */
function startBeside(program, programArguments) {
  const child = spawn(program, programArguments, {
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: process.platform !== 'win32',
  });
  // Whatever ends the demo, short of SIGKILL, ends it too.
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

async function end(child) {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
}
