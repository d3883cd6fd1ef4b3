import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { findService, startRedis } from '@mcp-parts/test-services';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Command } from './replica.fixture.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });
const fixture = fileURLToPath(new URL('replica.fixture.ts', import.meta.url));

interface Said {
  readonly ready?: true;
  readonly runs?: number;
  readonly event?: { readonly kind: string };
  readonly renewed?: string;
  readonly reply?: {
    readonly id: string;
    readonly state: string;
    readonly passed: number;
    readonly isFirst: boolean;
  };
}

/** A process of its own on the shared Redis. */
function startReplica(url: string) {
  const child = spawn(process.execPath, ['--conditions=@mcp-parts/source', fixture, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said: Said[] = [];
  // Only the fixture writes there.
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Said));
  const replies = () => said.flatMap(({ reply }) => reply ?? []);
  return {
    said,
    ready: () => vi.waitFor(() => expect(said).toContainEqual({ ready: true }), { timeout: 20_000 }),
    async tell(command: Command) {
      const before = replies().length;
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return vi.waitFor(
        () => {
          const reply = replies()[before];
          if (reply === undefined) {
            throw new Error('no reply yet');
          }
          return reply;
        },
        { timeout: 10_000, interval: 10 },
      );
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    },
  };
}

describe.skipIf(program === undefined)('three processes on one redis', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let replicas: ReturnType<typeof startReplica>[];
  beforeEach(async () => {
    server = await startRedis();
    replicas = [1, 2, 3].map(() => startReplica(server.url));
    await Promise.all(replicas.map((replica) => replica.ready()));
  });
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.kill()));
    await server[Symbol.asyncDispose]();
  });
  const three = () => {
    const [one, two, other] = replicas;
    if (one === undefined || two === undefined || other === undefined) {
      throw new Error('there are three');
    }
    return [one, two, other] as const;
  };

  it('start a task on one, ask for it on another, and cancel it on a third while the first is killed', async () => {
    const [first, second, third] = three();
    const { id } = await first.tell({ do: 'start' });
    const worker = await vi.waitFor(
      () => {
        const found = replicas.find(({ said }) => said.some(({ runs }) => runs === 1));
        if (found === undefined) {
          throw new Error('it does not run yet');
        }
        return found;
      },
      { timeout: 10_000 },
    );
    expect((await second.tell({ do: 'get', id })).state).toBe('running');
    const living = replicas.filter((replica) => replica !== worker);
    const [poller = second, canceller = third] = living;
    await worker.kill();
    await canceller.tell({ do: 'cancel', id });
    await vi.waitFor(async () => expect((await poller.tell({ do: 'get', id })).state).toBe('cancelled'), {
      timeout: 15_000,
      interval: 50,
    });
    // It was taken over once, to find out what there was to undo.
    const attempts = living.flatMap(({ said }) => said.flatMap(({ runs }) => runs ?? []));
    expect(attempts.every((attempt) => attempt === 2)).toBe(true);
    expect(attempts.length).toBeLessThanOrEqual(1);
  });

  it('have one limit of 100, use a proof once, and hear of each other', async () => {
    const [first, second, third] = three();
    const answers = await Promise.all(replicas.map((replica) => replica.tell({ do: 'consume', calls: 80 })));
    expect(answers.reduce((sum, { passed }) => sum + passed, 0)).toBe(100);
    const claims = await Promise.all(replicas.map((replica) => replica.tell({ do: 'claim', id: 'proof' })));
    expect(claims.filter(({ isFirst }) => isFirst)).toHaveLength(1);
    await second.tell({ do: 'publish' });
    const heard = { event: { kind: 'tools_list_changed' } };
    await vi.waitFor(
      () => {
        expect(first.said).toContainEqual(heard);
        expect(third.said).toContainEqual(heard);
      },
      { timeout: 10_000 },
    );
  });

  it('make a call once that comes to all, and say so when its process was killed in the middle', async () => {
    const began = await Promise.all(
      replicas.map((replica) => replica.tell({ do: 'begin call', key: 'order' })),
    );
    expect(began.map(({ state }) => state).toSorted()).toEqual(['ours', 'running', 'running']);
    const holder = replicas[began.findIndex(({ state }) => state === 'ours')];
    const [other] = replicas.filter((replica) => replica !== holder);
    // One every 300 ms, so that the first lease, of a second, is over.
    await vi.waitFor(
      () =>
        expect(holder?.said.filter(({ renewed }) => renewed === 'order').length).toBeGreaterThanOrEqual(5),
      { timeout: 10_000 },
    );
    expect(await other?.tell({ do: 'begin call', key: 'order' })).toMatchObject({ state: 'running' });
    await holder?.kill();
    await vi.waitFor(
      async () =>
        expect(await other?.tell({ do: 'begin call', key: 'order' })).toMatchObject({ state: 'unknown' }),
      { timeout: 10_000 },
    );
  });
});
