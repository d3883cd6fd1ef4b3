// `pnpm bench:client`: this repository's HTTP client beside its alternatives. With --heap: does its memory stay flat?
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { contenderNames, type ContenderName } from './client/contenders.ts';
import { startChild, type Child } from './client/processes.ts';
import { missedTargets, toRow, toTable, type Row } from './client/report.ts';
import type { Slice, SliceRequest } from './client/worker.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    'slice-ms': { type: 'string', default: '400' },
    concurrency: { type: 'string', default: '1,16,64' },
    /** Comma-separated beginnings of contenders' names; the reference always runs. */
    only: { type: 'string', default: '' },
    heap: { type: 'boolean', default: false },
    /** Exits with 1 when the client misses a target. */
    check: { type: 'boolean', default: false },
    /** Writes bench/results/client.json. */
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const [reference] = contenderNames;
const wanted = options.only.split(',');
const contenders = contenderNames.filter(
  (name) => name === reference || wanted.some((beginning) => name.startsWith(beginning)),
);

using server = await startChild('./server.ts');
const { url } = server.greeting as { url: string };

if (options.heap) {
  using worker = await startChild('./heap.ts', url);
  process.stdout.write(`${JSON.stringify(worker.greeting, undefined, 2)}\n`);
  await save({ heap: worker.greeting });
} else {
  const rows: Row[] = [];
  for (const concurrency of options.concurrency.split(',').map(Number)) {
    rows.push(...(await compare(concurrency)));
  }
  process.stdout.write(`${toTable(rows)}\n`);
  await save({ rows });
  const missed = missedTargets(rows);
  process.stdout.write(missed.map((target) => `missed: ${target}\n`).join(''));
  if (options.check && missed.length > 0) {
    process.exitCode = 1;
  }
}

/** Runs every contender once a round, each round beginning with another one, so that the machine's moods are shared. */
async function compare(concurrency: number): Promise<readonly Row[]> {
  using stack = new DisposableStack();
  const children = new Map<ContenderName, Child>();
  const slices = new Map<ContenderName, Slice[]>();
  for (const name of contenders) {
    children.set(name, stack.use(await startChild('./worker.ts', name, url)));
    slices.set(name, []);
  }
  const run = async (name: ContenderName, request: SliceRequest) =>
    // Our own worker, which sends nothing else.
    (await children.get(name)?.ask(request)) as Slice;

  const forMs = Number(options['slice-ms']);
  for (const name of contenders) {
    await run(name, { concurrency, warmUpMs: 1_000, forMs: 1 });
  }
  for (let round = 0; round < Number(options.rounds); round++) {
    const start = round % contenders.length;
    for (const name of [...contenders.slice(start), ...contenders.slice(0, start)]) {
      slices.get(name)?.push(await run(name, { concurrency, warmUpMs: 50, forMs }));
    }
  }
  const rounds = (name: ContenderName) => slices.get(name) ?? [];
  return contenders.map((name) => toRow(name, concurrency, rounds(name), rounds(reference)));
}

/** Lays the new results over those of earlier runs. */
async function save(results: { rows: readonly Row[] } | { heap: unknown }): Promise<void> {
  if (!options.save) {
    return;
  }
  const file = new URL('./results/client.json', import.meta.url);
  const known = await readFile(file, 'utf8').then(JSON.parse, () => ({}));
  const loadAverage = Number(loadavg()[0]?.toFixed(1));
  const machine = { node: process.versions.node, cpus: availableParallelism(), loadAverage };
  await mkdir(new URL('./results/', import.meta.url), { recursive: true });
  await writeFile(file, `${JSON.stringify({ ...known, machine, ...results }, undefined, 2)}\n`);
}
