// `pnpm bench:behaviour`: what this repository's HTTP client and its alternatives do when a backend misbehaves.
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { ATTEMPT_TIMEOUT_MS, peers, type Peer } from './client/peers.ts';

/** One way in which a backend misbehaves, and what a caller would want then. */
interface Scenario {
  readonly title: string;
  readonly answer: (response: ServerResponse, count: number) => void;
  /** What was seen, and whether that is what one wants. */
  readonly watch: (peer: Peer, requests: () => number) => Promise<readonly [seen: string, isGood: boolean]>;
}

const OUTAGE_CALLS = 100;

const scenarios: readonly Scenario[] = [
  {
    title: 'POST, connection lost after the body: requests sent',
    answer: (response) => response.destroy(),
    async watch(peer, requests) {
      await settled(peer.post());
      return [String(requests()), requests() === 1];
    },
  },
  {
    title: 'GET, 503 with `Retry-After: 3600`: the caller hears of it',
    answer: (response) => response.writeHead(503, { 'retry-after': '3600' }).end(),
    async watch(peer, requests) {
      const isOver = await Promise.race([settled(peer.get()), delay(3_000, false)]);
      if (!isOver) {
        return ['waits', false];
      }
      const count = requests();
      return [count === 1 ? 'at once' : `after ${count} requests`, count === 1];
    },
  },
  {
    title: `outage, 503 to ${OUTAGE_CALLS} calls: requests sent`,
    answer: (response) => response.writeHead(503).end(),
    async watch(peer, requests) {
      for (let call = 0; call < OUTAGE_CALLS; call += 20) {
        await Promise.all(Array.from({ length: 20 }, () => settled(peer.get())));
      }
      return [String(requests()), requests() <= 1.2 * OUTAGE_CALLS + 10];
    },
  },
  {
    title: 'five 400s to bad arguments: the next, good call',
    answer: (response, count) => response.writeHead(count <= 5 ? 400 : 200).end('{}'),
    async watch(peer) {
      for (let call = 0; call < 5; call += 1) {
        await settled(peer.get());
      }
      const isServed = await peer.get().then(
        () => true,
        () => false,
      );
      return [isServed ? 'is served' : 'is refused', isServed];
    },
  },
  {
    title: `body that drips for 5 s, time-out ${ATTEMPT_TIMEOUT_MS} ms: the caller waits`,
    answer(response) {
      response.writeHead(200, { 'content-type': 'application/json' });
      let pieces = 0;
      const timer = setInterval(() => {
        pieces += 1;
        if (pieces < 50) {
          response.write(' ');
        } else {
          response.end('{}');
        }
      }, 100);
      response.on('close', () => clearInterval(timer));
    },
    async watch(peer) {
      const startedAt = performance.now();
      await settled(peer.get());
      const seconds = (performance.now() - startedAt) / 1000;
      // Three attempts and the waits between them, or as long as the body.
      return [`${seconds.toFixed(1)} s`, seconds < 5];
    },
  },
  {
    title: 'body of 20 MB where kilobytes were expected',
    answer: (response) => response.end(`"${'x'.repeat(20_000_000)}"`),
    async watch(peer) {
      const isTaken = await peer.get().then(
        () => true,
        () => false,
      );
      return [isTaken ? 'is taken' : 'is refused', !isTaken];
    },
  },
];

const results: Record<string, Record<string, { seen: string; isGood: boolean }>> = {};
for (const scenario of scenarios) {
  results[scenario.title] = {};
  for (const [name, create] of Object.entries(peers)) {
    let count = 0;
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        count += 1;
        scenario.answer(response, count);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const peer = await create(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [seen, isGood] = await scenario.watch(peer, () => count);
    (results[scenario.title] ??= {})[name] = { seen, isGood };
    await peer.close?.();
    server.closeAllConnections();
    server.close();
  }
}

const names = Object.keys(peers);
const lines = Object.entries(results).map(
  ([title, byName]) =>
    `| ${[title, ...names.map((name) => `${byName[name]?.seen ?? ''}${byName[name]?.isGood ? '' : ' ✗'}`)].join(' | ')} |`,
);
process.stdout.write(
  `| | ${names.join(' | ')} |\n|${' --- |'.repeat(names.length + 1)}\n${lines.join('\n')}\n`,
);

const folder = new URL('./results/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL('client-behaviour.json', folder), `${JSON.stringify(results, undefined, 2)}\n`);

const ours = Object.entries(results).filter(([, byName]) => byName['resilient-client']?.isGood !== true);
for (const [title] of ours) {
  process.stderr.write(`resilient-client fails: ${title}\n`);
}
// Some of the others still wait for their Retry-After.
process.exit(ours.length === 0 ? 0 : 1);

/** True once it has ended, however. */
function settled(work: Promise<unknown>): Promise<true> {
  return work.then(
    () => true,
    () => true,
  );
}
