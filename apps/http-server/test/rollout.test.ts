import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { findService, freePort } from '@mcp-parts/test-services';
import { describe, expect, it } from 'vitest';

import { startServer, tokenFor, type TestServer } from './http-server.ts';
import { startNginx } from './nginx.ts';
import { modernCall } from './raw-request.ts';

const nginx = findService({ program: 'nginx', debianPackage: 'nginx-light' });
/** `pnpm chaos:rollout` stops a hundred, and says how many calls there were. */
const { ROLLOUT_STOPS } = process.env;
const STOPS = Number(ROLLOUT_STOPS ?? 5);
const CLIENTS = 8;
const GRACE_MS = 10_000;

const page = await readFile(new URL('../../../docs/operations/rollout.md', import.meta.url), 'utf8');
const block = /^```nginx\n(.*?)^```$/msu.exec(page)?.[1] ?? '';

/** Calls again and again on one connection, as a client that stays does, until it is told to end. */
async function keepCalling(url: string, token: string, signal: AbortSignal) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { headers, body, method } = modernCall(token, 'list_services', {});
  const statuses = new Map<string, number>();
  while (!signal.aborted) {
    const status = await new Promise<string>((resolve) => {
      const sent = request(`${url}/mcp`, { method, headers, agent }, (response) => {
        response.resume();
        response.once('end', () => resolve(String(response.statusCode)));
        response.once('error', (error) => resolve(error.message));
      });
      sent.once('error', (error) => resolve(error.message));
      sent.end(body);
    });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  agent.destroy();
  return statuses;
}

function startReplica(sandbox: Sandbox, port: number, stateDirectory: string): Promise<TestServer> {
  return startServer(sandbox, {
    PORT: String(port),
    STATE_DIRECTORY: stateDirectory,
    ALLOWED_HOSTS: '127.0.0.1',
    TERMINATION_GRACE_MS: String(GRACE_MS),
    READINESS_DELAY_MS: '500',
    RATE_LIMIT_PER_MINUTE: '1000000',
    LOG_LEVEL: 'info',
  });
}

describe.skipIf(nginx === undefined)('replicas behind nginx', () => {
  it(
    `stop ${STOPS} times under load, in their time, and no call is lost`,
    { timeout: 60_000 + STOPS * 20_000 },
    async () => {
      const sandbox = await startSandbox({ mcpResource });
      const states = await mkdtemp(join(tmpdir(), 'mcp-rollout-'));
      const ports = [await freePort(), await freePort(), await freePort()];
      const start = (port: number) => startReplica(sandbox, port, join(states, String(port)));
      const replicas = await Promise.all(ports.map(start));
      const stop = new AbortController();
      try {
        await using balancer = await startNginx(nginx ?? '', { block, ports });
        const token = await tokenFor(sandbox, 'developer');
        const clients = Array.from({ length: CLIENTS }, () => keepCalling(balancer.url, token, stop.signal));
        for (let turn = 0; turn < STOPS; turn += 1) {
          const at = turn % ports.length;
          const startedAt = performance.now();
          expect(await replicas[at]?.stop('SIGTERM')).toMatchObject({ code: 0 });
          expect(performance.now() - startedAt).toBeLessThan(GRACE_MS);
          replicas[at] = await start(ports[at] ?? 0);
        }
        stop.abort();
        const statuses = new Map<string, number>();
        for (const [status, count] of (await Promise.all(clients)).flatMap((one) => [...one])) {
          statuses.set(status, (statuses.get(status) ?? 0) + count);
        }
        if (ROLLOUT_STOPS !== undefined) {
          process.stderr.write(`answers: ${JSON.stringify(Object.fromEntries(statuses))}\n`);
        }
        expect([...statuses.keys()]).toEqual(['200']);
        expect(statuses.get('200')).toBeGreaterThan(STOPS * CLIENTS);
      } finally {
        stop.abort();
        await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
        await sandbox.close();
        await rm(states, { recursive: true, force: true });
      }
    },
  );
});
