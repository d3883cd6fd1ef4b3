// One replica: does what it reads from standard input, one command in JSON on each line, and says what came of it.
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';

import { openTaskEngine } from '@mcp-parts/tasks';

import { openRedis } from '../src/index.ts';

/** What a replica is told. */
export type Command =
  | { readonly do: 'start' | 'publish' }
  | { readonly do: 'get' | 'cancel'; readonly id: string }
  | { readonly do: 'consume'; readonly calls: number }
  | { readonly do: 'claim'; readonly id: string }
  /** Makes a call that may be repeated, and never ends it. */
  | { readonly do: 'begin call'; readonly key: string };

const [url = ''] = process.argv.slice(2);
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

const redis = await openRedis({ url });
const engine = await openTaskEngine({
  store: await redis.openTaskStore(),
  leaseMs: 1_000,
  definitions: [
    {
      kind: 'work',
      onInterrupted: 'resume',
      async run(_input, { signal, attempt }) {
        say({ runs: attempt });
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          signal.throwIfAborted();
        });
        return {};
      },
    },
  ],
});
redis.events.subscribe((event) => say({ event }));

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'start':
      return engine.start({ kind: 'work', input: {}, ownerId: 'alice' });
    case 'get':
      return engine.get(command.id, 'alice');
    case 'cancel':
      return engine.cancel(command.id, 'alice', { reason: 'enough' });
    case 'publish':
      redis.events.publish({ kind: 'tools_list_changed' });
      return {};
    case 'claim':
      return { isFirst: await redis.replays.claim(command.id, { ttlMs: 60_000 }) };
    case 'begin call': {
      const call = { state: 'running', fingerprint: 'f', upstreamKey: 'u', holder: randomUUID() } as const;
      const times = { ttlMs: 60_000, leaseMs: 1_000 };
      const known = await redis.idempotency.claim(command.key, call, times);
      if (known === undefined) {
        const renew = async () => {
          await redis.idempotency.renew(command.key, call, times);
          say({ renewed: command.key });
        };
        setInterval(() => void renew(), 300).unref();
      }
      return { state: known?.state ?? 'ours' };
    }
    case 'consume': {
      const rate = { perMinute: 100, weight: 1 };
      const answers = await Promise.all(
        Array.from({ length: command.calls }, async () => redis.rateLimiter.consume('caller:alice', rate)),
      );
      return { passed: answers.filter(({ allowed }) => allowed).length };
    }
    default:
      return command satisfies never;
  }
}

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  // Only the test writes here.
  const command = JSON.parse(line) as Command;
  say({ reply: await obey(command) });
}
await engine.close();
await redis.close();
