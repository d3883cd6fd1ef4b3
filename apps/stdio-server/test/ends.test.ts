import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import {
  answerTo,
  createWorld,
  initialize,
  initialized,
  outcomesIn,
  program,
  startRaw,
  toolCall,
  type RawServer,
  type World,
} from './stdio-server.ts';

let world: World;
let env: Record<string, string>;
let runs = 0;

beforeAll(async () => {
  world = await createWorld();
  env = await world.settings('developer');
});

afterEach(() => world.sandbox.faults.clear());

afterAll(() => world[Symbol.asyncDispose]());

/** Settings with a state directory that no other server has. */
function alone(): Record<string, string> & { readonly STATE_DIRECTORY: string } {
  runs += 1;
  return { ...env, STATE_DIRECTORY: join(world.folder, `alone-${runs}`) };
}

/** Starts a call whose backend answers late, and waits until the backend has it. */
async function startSlowCall(server: RawServer, era: '2025' | '2026', ms: number): Promise<void> {
  const { sandbox } = world;
  if (era === '2025') {
    server.send(initialize, initialized);
  }
  server.send(toolCall(era, 6, 'list_services', { search: 'fraud' }));
  await answerTo(server, 6);
  await sandbox.faults.set('configuration', { kind: 'latency', ms, times: 1 });
  const before = sandbox.requests('configuration').length;
  server.send(toolCall(era, 7, 'list_services', { search: 'pay' }));
  await vi.waitFor(() => expect(sandbox.requests('configuration').length).toBeGreaterThan(before), {
    timeout: 15_000,
  });
}

/** How long a server takes to end, in milliseconds. */
async function timeOf(server: RawServer, end: () => void): Promise<number> {
  const startedAt = performance.now();
  end();
  await expect(server.exit).resolves.toMatchObject({ code: 0, signal: null });
  return performance.now() - startedAt;
}

const dropped = { error: { code: -32603, data: { reason: 'server_stopped' } } };
const stopped = { target: 'list_services', result: 'failure', reason: 'server_stopped' };

// A promise about time needs one fair try; the machine may be busy.
const timed = { retry: 2, timeout: 60_000 };

describe('a call that runs', timed, () => {
  it.for(['2025', '2026'] as const)(
    'is dropped, answered and recorded when the input of a client of %s has ended, within two seconds',
    async (era) => {
      const settings = alone();
      await using server = startRaw(settings);
      await startSlowCall(server, era, 30_000);
      expect(await timeOf(server, () => server.stdin.end())).toBeLessThan(2_000);
      await expect(answerTo(server, 7)).resolves.toMatchObject(dropped);
      expect((await outcomesIn(settings.STATE_DIRECTORY)).at(-1)).toMatchObject(stopped);
    },
  );
});

describe.skipIf(process.platform === 'win32')('a signal', timed, () => {
  it.for([
    ['2025', 'SIGINT'],
    ['2026', 'SIGINT'],
    ['2025', 'SIGINT and SIGTERM'],
  ] as const)('ends a server of %s at once: %s', async ([era, signals]) => {
    const settings = alone();
    await using server = startRaw(settings);
    await startSlowCall(server, era, 30_000);
    const took = await timeOf(server, () => {
      server.kill('SIGINT');
      if (signals !== 'SIGINT') {
        server.kill('SIGTERM');
      }
    });
    expect(took).toBeLessThan(400);
    await expect(answerTo(server, 7)).resolves.toMatchObject(dropped);
    expect((await outcomesIn(settings.STATE_DIRECTORY)).at(-1)).toMatchObject(stopped);
  });

  it('which comes second makes it urgent', async () => {
    await using server = startRaw(alone());
    await startSlowCall(server, '2025', 30_000);
    server.kill('SIGTERM');
    await server.logged('the connection ends');
    expect(await timeOf(server, () => server.kill('SIGTERM'))).toBeLessThan(400);
  });

  it('is not waited for when the client has left', async () => {
    await using server = startRaw(alone());
    await startSlowCall(server, '2025', 30_000);
    server.kill('SIGTERM');
    await server.logged('the connection ends');
    expect(await timeOf(server, () => server.stdin.end())).toBeLessThan(2_000);
  });
});

describe('a task that runs', timed, () => {
  it('is told of at the next start when the input has ended', async () => {
    const settings = alone();
    const target = { service: 'payment-service', version: '2.5.0', environment: 'staging' };
    await world.sandbox.faults.set('deployments', { kind: 'latency', ms: 30_000, times: 1 });
    const before = world.sandbox.requests('deployments').length;
    await using server = startRaw(settings);
    server.send(toolCall('2026', 7, 'trigger_deployment', target));
    const { result } = await answerTo(server, 7);
    const { taskId } = z
      .object({ structuredContent: z.object({ taskId: z.string() }) })
      .parse(result).structuredContent;
    await vi.waitFor(() => expect(world.sandbox.requests('deployments').length).toBeGreaterThan(before), {
      timeout: 15_000,
    });
    expect(await timeOf(server, () => server.stdin.end())).toBeLessThan(2_000);
    await world.sandbox.faults.clear();

    await using next = startRaw(settings);
    next.send(toolCall('2026', 8, 'check_deployment_status', { taskId }));
    await expect(answerTo(next, 8)).resolves.toMatchObject({
      result: {
        structuredContent: {
          what: expect.stringContaining('payment-service'),
          state: expect.any(String),
        },
      },
    });
  });
});

/** A server whose output nobody reads yet. */
function startUnread(settings: Readonly<Record<string, string>>) {
  const child = spawn(program.command, [...program.args], { env: { ...settings } });
  child.stdin.on('error', () => undefined);
  return { child, exit: once(child, 'exit') as Promise<[number | null]> };
}

describe.skipIf(process.platform === 'win32')('a client that does not read standard output', timed, () => {
  it('ends the server as the end of its input does when it closes its end', async () => {
    const settings = alone();
    const { child, exit } = startUnread(settings);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.write(`${JSON.stringify(initialize)}\n`);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.write(`${JSON.stringify(toolCall('2025', 7, 'list_services'))}\n`);
    expect(await exit).toEqual([0, null]);
    expect(stderr).toContain('"cause":"closed"');
    expect(stderr).not.toContain('EPIPE');
    expect(await outcomesIn(settings.STATE_DIRECTORY)).toHaveLength(1);
  });

  it.skipIf(process.platform !== 'linux')(
    'does not fill the memory, and does not hold up the end',
    async () => {
      const { child, exit } = startUnread(env);
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      const pings = Array.from(
        { length: 200_000 },
        (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/list"}\n`,
      ).join('');
      child.stdin.write(`${JSON.stringify(initialize)}\n${pings}`);
      await vi.waitFor(() => expect(stderr).toContain('ready for a client'), { timeout: 15_000 });
      const memory = async () =>
        Number(/VmHWM:\s+(\d+)/u.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
      // It takes no more input: what is left stays with the client.
      let left = -1;
      await vi.waitFor(
        () => {
          const isStuck = child.stdin.writableLength > 0 && child.stdin.writableLength === left;
          left = child.stdin.writableLength;
          expect(isStuck).toBe(true);
        },
        { timeout: 30_000, interval: 500 },
      );
      expect(await memory()).toBeLessThan(300);
      const startedAt = performance.now();
      child.kill('SIGTERM');
      expect(await exit).toEqual([0, null]);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    },
  );
});

describe('a line that is too long', () => {
  it.for(['2025', '2026'] as const)('is answered, and a client of %s goes on', async (era) => {
    await using server = startRaw(env);
    const opening = era === '2025' ? [initialize, initialized] : [];
    server.send(...opening, 'x'.repeat(11 * 1024 * 1024), toolCall(era, 7, 'list_services'));
    await expect(answerTo(server, null)).resolves.toMatchObject({ error: { code: -32700 } });
    await expect(answerTo(server, 7)).resolves.toHaveProperty('result');
  });
});
