/**
 * `pnpm soak`: ten minutes of clients of both eras at a server with everything on. They call, make mistakes, go away in
 * the middle, open sessions and streams and abandon them. Fails when heap, memory, sockets or descriptors keep rising,
 * or when a client got another answer than it should.
 *
 *   --seconds <n>  how long @default 600
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { startIssuer } from './http/issuer.ts';
import { pinLoad, startServer } from './http/server-process.ts';
import { trendsOf, type Sample } from './soak/trend.ts';
import { createVisitors, visits } from './soak/visits.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    visitors: { type: 'string', default: '16' },
    /** Writes bench/results/soak.json. */
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const SAMPLES = 60;
/** Between two visits of one visitor: without it the machine runs out of ports before the server runs out of anything. */
const PAUSE_MS = 30;
/** A server may keep a socket for a moment after its client went away. */
const SETTLE_MS = 5_000;
/** What a server says that has too much to do, and may on a machine which runs other things too. */
const TURNED_AWAY = /^(?:answered|no session:) 503/u;
const BUSY_MS = 500;

const seconds = Number(options.seconds);
const cpus = availableParallelism();
const pinned = pinLoad();
using issuer = await startIssuer();
await using server = await startServer('ours-soak', { issuer: issuer.url, pinned });
const { visit } = createVisitors(server.url, issuer);
const names = Object.keys(visits);
const made: Record<string, number> = {};
const failures: string[] = [];
let turnedAway = 0;

const idle = await server.ask('collected');
const samples: Sample[] = [];
const startedAt = performance.now();
while (elapsedSeconds() < seconds && failures.length === 0) {
  await visitFor((seconds * 1_000) / SAMPLES);
  samples.push(await sample());
}

// Now and then is the machine's doing; places that are never free again are the server's.
const visitsMade = Object.values(made).reduce((sum, count) => sum + count, 0);
if (turnedAway > visitsMade / 10) {
  failures.push(`${turnedAway} visits were turned away, beside ${visitsMade} that were made`);
}

const trends = trendsOf(samples);
const rising = trends.filter(({ rise, allowed }) => rise > allowed);
for (const { quantity, median, rise, allowed } of trends) {
  process.stdout.write(`${quantity.padEnd(12)} median ${median}, rise ${rise} (allowed ${allowed})\n`);
}
process.stdout.write(`${JSON.stringify({ ...made, turnedAway }, undefined, 2)}\n`);
process.stdout.write(failures.map((failure) => `failed: ${failure}\n`).join(''));
process.stdout.write(rising.map(({ quantity }) => `rises: ${quantity}\n`).join(''));
if (options.save) {
  const folder = new URL('./results/', import.meta.url);
  await mkdir(folder, { recursive: true });
  const machine = { node: process.versions.node, cpus, pinned, loadAverage: loadavg() };
  const results = {
    measuredAt: new Date().toISOString(),
    machine,
    seconds,
    made,
    turnedAway,
    failures,
    trends,
    samples,
  };
  await writeFile(new URL('soak.json', folder), `${JSON.stringify(results, undefined, 2)}\n`);
}
if (rising.length > 0 || failures.length > 0) {
  process.exitCode = 1;
}

/** Visitors come one after the other, each kind in turn, until the time is over and all have left. */
async function visitFor(ms: number): Promise<void> {
  const until = performance.now() + ms;
  const visitor = async (_: unknown, index: number) => {
    for (let turn = index; performance.now() < until; turn += 1) {
      const name = names[turn % names.length] ?? '';
      try {
        await visit(name);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!TURNED_AWAY.test(message)) {
          failures.push(`${name}: ${message}`);
          return;
        }
        turnedAway += 1;
        await sleep(BUSY_MS);
        continue;
      }
      made[name] = (made[name] ?? 0) + 1;
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: Number(options.visitors) }, visitor));
}

/** What the server holds while nobody is there. */
async function sample(): Promise<Sample> {
  const until = performance.now() + SETTLE_MS;
  while ((await server.ask('usage')).sockets > idle.sockets && performance.now() < until) {
    await sleep(50);
  }
  const { heldBytes, rssBytes, sockets, descriptors } = await server.ask('collected');
  return {
    atSeconds: Number(elapsedSeconds().toFixed(1)),
    heldMiB: Number((heldBytes / 2 ** 20).toFixed(2)),
    rssMiB: Math.round(rssBytes / 2 ** 20),
    sockets,
    descriptors,
  };
}

function elapsedSeconds(): number {
  return (performance.now() - startedAt) / 1_000;
}
