// The demo: the sandbox platform in this process, the HTTP server as a child of it, until Ctrl-C.
// With --watch both run from their sources, and a change of the server's restarts it. With --replicas N there are N
// servers behind a balancer, on a Redis of their own. With --verbose it also says where the services of the sandbox are.
// PORT is the port of the server, SANDBOX_PORT the first of the five of the sandbox.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { DEMO_PORT, demoFolder, writeDemo } from './demo-folder.mjs';
import { instructions } from './demo-instructions.mjs';
import { environmentFile } from './environment-file.mjs';
import { freePort, replicasOf, sharedSettings, startFront, startRedis } from './replicas.mjs';

const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 30_000;

/** A problem whose message says enough. */
class StartError extends Error {}

const isWindows = process.platform === 'win32';
const root = fileURLToPath(new URL('..', import.meta.url));
const watch = process.argv.includes('--watch');
const isVerbose = process.argv.includes('--verbose');
let replicas;
try {
  replicas = replicasOf(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
if (watch && Number.parseInt(process.versions.node, 10) < 24) {
  // The sources say `using`, which Node 22 cannot read; what is built for it can.
  process.stderr.write(
    `pnpm dev runs the sources and needs Node 24; this is ${process.version}. npm start works.\n`,
  );
  process.exit(1);
}
const port = process.env.PORT ?? String(DEMO_PORT);
// Kept between starts, so that tokens and pasted client configurations go on working.
const data = demoFolder(root, port);
const serverUrl = `http://127.0.0.1:${port}`;
const endpoint = `${serverUrl}/mcp`;

const { PortTakenError, startSandbox } = await import(
  new URL(watch ? '../apps/sandbox/src/index.ts' : '../apps/sandbox/dist/index.js', import.meta.url).href
);

let sandbox;
const servers = [];
/** What the servers of several replicas need, in the order of its start. */
const beside = [];
const stopping = new AbortController();
// Ctrl-C in a terminal, `kill`, a closed window. Any of them may arrive more than once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']) {
  process.on(signal, () => void stop(0));
}

try {
  await mkdir(data, { recursive: true });
  sandbox = await startSandbox({
    ports: sandboxPorts(Number(process.env.SANDBOX_PORT ?? '43100')),
    // Slow enough to watch a deployment proceed.
    deploymentStepMs: 1500,
    mcpResource: endpoint,
    stateDirectory: data,
    directoryServer: true,
  });
  const balancer = replicas === undefined ? await startOne() : await startReplicas(replicas);
  const stdioSettings = await writeStdioSettings();
  await writeDemo(data, {
    endpoint,
    issuer: sandbox.urls.identity,
    clientId: sandbox.clients.userTokens.clientId,
  });
  process.stdout.write(
    instructions({
      endpoint,
      replicas: balancer && { count: replicas, balancer },
      sandbox: isVerbose
        ? { ...sandbox.urls, directory: sandbox.directoryServer?.url ?? sandbox.directoryFile }
        : undefined,
      port,
      node: process.execPath,
      stdioServer: join(root, 'apps/stdio-server/dist/main.js'),
      stdioSettings,
      stateDirectory: relative(root, join(data, replicas === undefined ? 'http-server' : 'http-server-1')),
    }),
  );
} catch (error) {
  if (!stopping.signal.aborted) {
    const isExpected = error instanceof PortTakenError || error instanceof StartError;
    const hint = error instanceof PortTakenError ? ' Is the demo running already?' : '';
    process.stderr.write(isExpected ? `${error.message}${hint}\n` : `${error.stack}\n`);
    await stop(1);
  }
}

/** The ports of the sandbox, which stay the same: a token names its issuer by one. */
function sandboxPorts(first) {
  const names = ['identity', 'configuration', 'deployments', 'audit', 'control'];
  return Object.fromEntries(names.map((name, index) => [name, first + index]));
}

/** Settings both servers have: whom they trust and which platform they act on. */
function platformSettings() {
  const { urls, clients, directoryFile, directoryServer, platformAudience } = sandbox;
  return {
    AUTH_ISSUER: urls.identity,
    AUTH_AUDIENCE: endpoint,
    AUTH_ALGORITHMS: 'RS256',
    // The policy that deploy/ ships, so that the demo shows what production does.
    POLICY_FILE: join(root, 'deploy/kubernetes/policy/policy.yaml'),
    DIRECTORY_FILE: directoryFile,
    ...(directoryServer && { DIRECTORY_PASSWORD: directoryServer.password }),
    PLATFORM_CONFIGURATION_URL: urls.configuration,
    PLATFORM_DEPLOYMENTS_URL: urls.deployments,
    PLATFORM_TOKEN_URL: `${urls.identity}/token`,
    PLATFORM_CLIENT_ID: clients.mcpServer.clientId,
    PLATFORM_CLIENT_SECRET: clients.mcpServer.clientSecret,
    PLATFORM_RESOURCE: platformAudience,
    AUDIT_COLLECTOR_URL: `${urls.audit}/v1/events`,
    // Problems only: the terminal belongs to the instructions.
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
  };
}

/** One server on the port of the demo. */
async function startOne() {
  const { hostname, port } = new URL(serverUrl);
  servers.push(
    startServer({
      ...platformSettings(),
      HOST: hostname,
      PORT: port,
      STATE_DIRECTORY: join(data, 'http-server'),
    }),
  );
  await isReady(serverUrl);
}

/** Several servers, each on a port and with a directory of its own. Gives the name of what balances them. */
async function startReplicas(count) {
  const redis = await startRedis(data);
  beside.push(redis);
  const shared = await sharedSettings(data, redis.url);
  const ports = [];
  for (let number = 1; number <= count; number += 1) {
    const port = String(await freePort());
    ports.push(port);
    const settings = { HOST: '127.0.0.1', PORT: port, STATE_DIRECTORY: join(data, `http-server-${number}`) };
    servers.push(startServer({ ...platformSettings(), ...shared, ...settings }));
  }
  await Promise.all(ports.map((port) => isReady(`http://127.0.0.1:${port}`)));
  const front = await startFront(data, new URL(serverUrl).port, ports);
  beside.push(front);
  return front.name;
}

/** Writes the environment of the stdio server to a file for `node --env-file`, readable by its owner only. */
async function writeStdioSettings() {
  const token = await sandbox.issueUserToken('developer', {
    resource: endpoint,
    scopes: ['deploy:read', 'deploy:development', 'deploy:staging'],
  });
  const settings = {
    ...platformSettings(),
    ACCESS_TOKEN: token,
    STATE_DIRECTORY: join(data, 'stdio-server'),
  };
  const file = join(data, 'stdio-server.env');
  await writeFile(file, environmentFile(settings), { mode: 0o600 });
  return file;
}

function startServer(settings) {
  const main = watch
    ? ['--watch', '--watch-preserve-output', '--conditions=@mcp-parts/source', 'apps/http-server/src/main.ts']
    : ['apps/http-server/dist/main.js'];
  const child = spawn(process.execPath, main, {
    cwd: root,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'inherit', 'inherit'],
    // In a process group of its own: Ctrl-C reaches this process, which ends the server first and the platform after.
    // On Windows that would open a window; there, the server gets every Ctrl-C itself.
    detached: !isWindows,
  });
  child.once('exit', (code) => {
    if (!stopping.signal.aborted) {
      process.stderr.write(
        `${replicas === undefined ? 'The' : 'An'} HTTP server ended by itself (${code}).\n`,
      );
      // The others go on: that is what they are for.
      if (servers.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)) {
        void stop(1);
      }
    }
  });
  return child;
}

/** Waits until the server takes calls. */
async function isReady(url) {
  const deadline = AbortSignal.any([stopping.signal, AbortSignal.timeout(READY_WITHIN_MS)]);
  while (!deadline.aborted) {
    const response = await fetch(`${url}/ready`, { signal: deadline }).catch(() => undefined);
    if (response?.ok) {
      return;
    }
    await setTimeout(50);
  }
  throw new StartError(`An HTTP server was not ready within ${READY_WITHIN_MS / 1000} seconds.`);
}

async function stop(exitCode) {
  if (stopping.signal.aborted) {
    return;
  }
  stopping.abort();
  await Promise.all(servers.map((server) => stopServer(server, exitCode)));
  // What is in front goes before what the servers needed.
  for (const part of beside.toReversed()) {
    await part.stop();
  }
  await sandbox?.close();
  process.exit(exitCode);
}

async function stopServer(server, exitCode) {
  if (server.exitCode !== null || server.signalCode !== null) {
    return;
  }
  const exited = once(server, 'exit');
  // Windows cannot ask a process to end; what ends this one from outside has reached the server too.
  if (!isWindows || exitCode !== 0) {
    server.kill('SIGTERM');
  }
  const inTime = await Promise.race([exited, setTimeout(STOPPED_WITHIN_MS)]);
  if (inTime === undefined) {
    // The whole group: with --watch the server is a child of the child.
    if (isWindows) {
      spawnSync('taskkill', ['/pid', String(server.pid), '/t', '/f']);
    } else {
      process.kill(-server.pid, 'SIGKILL');
    }
  }
}
