/**
 * `pnpm bench:http`: what a call costs a server of this repository, beside bare SDKs and what teams build from them.
 * The servers share one core and the load has another; CPU is that of the server process as the system counts it. All of
 * them start with the flags that our image gives Node.
 *
 *   --profile       where the time of one contender goes (see --only; default: ours with everything), from the sources
 *   --only <names>  comma-separated beginnings of names; what others are compared with always runs
 *   --check         exits with 1 when a target is missed
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { contenders, EVERYTHING, EVERYTHING_SESSION, SDK_1 } from './http/contenders.ts';
import { startIssuer } from './http/issuer.ts';
import { createTarget, type CallName, type Slice, type Target } from './http/load.ts';
import { measureMemory, type MemoryRow } from './http/memory.ts';
import { summarize, toText } from './http/profile.ts';
import { missedTargets, references, toMemoryTable, toRows, toTable, type Row } from './http/report.ts';
import { checkAnswers } from './http/right-answers.ts';
import { imageFlags, pinLoad, startServer, type StartOptions } from './http/server-process.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    'slice-ms': { type: 'string', default: '300' },
    only: { type: 'string', default: '' },
    memory: { type: 'boolean', default: true },
    profile: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    /** Writes bench/results/http.json. */
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

/** What is asked, and by how many at once. Each contender's `echo` comes before what is compared with it. */
const loads: readonly (readonly [CallName, number])[] = [
  ['echo', 16],
  ['echo', 64],
  ['record', 16],
  ['list', 16],
];
const WARM_UP_MS = 60;
/** Before anything is measured: until the compiler has seen it. */
const FIRST_WARM_UP_MS = 1_500;

const cpus = availableParallelism();
const loadBefore = loadavg();
const pinned = pinLoad();
using issuer = await startIssuer();
const starting: StartOptions = { issuer: issuer.url, pinned };
const beginnings = options.only.split(',');

if (options.profile) {
  await profile(options.only === '' ? EVERYTHING : options.only);
} else {
  const rows = await compare();
  process.stdout.write(`${toTable(rows)}\n\n`);
  const names = [SDK_1, 'SDK 2.4', 'fastmcp 4 session', EVERYTHING, EVERYTHING_SESSION];
  const memory = options.memory ? await measureMemory(names, 3, issuer, starting) : [];
  process.stdout.write(`${toMemoryTable(memory)}\n`);
  await save(rows, memory);
  const missed = missedTargets(rows, memory);
  process.stdout.write(missed.map((target) => `missed: ${target}\n`).join(''));
  if (options.check && missed.length > 0) {
    process.exitCode = 1;
  }
}

/** Runs every contender once a round, each round beginning with another one, so that the machine's moods are shared. */
async function compare(): Promise<readonly Row[]> {
  await using stack = new AsyncDisposableStack();
  const targets: Target[] = [];
  for (const contender of contenders) {
    const isReference = references.some((name) => name === contender.name);
    if (isReference || beginnings.some((beginning) => contender.name.startsWith(beginning))) {
      const server = stack.use(await startServer(contender.server, starting));
      await checkAnswers(contender, server, issuer);
      targets.push(createTarget(contender, server, issuer));
    }
  }
  for (const target of targets) {
    for (const call of ['echo', 'record', 'list'] as const) {
      await target.run(call, { callers: 16, warmUpMs: FIRST_WARM_UP_MS, forMs: 1 });
    }
  }
  const rounds = loads.map(
    () => new Map<string, Slice[]>(targets.map(({ contender }) => [contender.name, []])),
  );
  for (let round = 0; round < Number(options.rounds); round += 1) {
    const start = round % targets.length;
    for (const target of [...targets.slice(start), ...targets.slice(0, start)]) {
      for (const [index, [call, callers]] of loads.entries()) {
        const forMs = Number(options['slice-ms']);
        const slice = await target.run(call, { callers, warmUpMs: WARM_UP_MS, forMs });
        rounds[index]?.get(target.contender.name)?.push(slice);
      }
    }
  }
  return loads.flatMap(([call, callers], index) => {
    const echoes = loads.findIndex((load) => load[0] === 'echo' && load[1] === callers);
    return toRows(call, callers, rounds[index] ?? new Map(), rounds[echoes] ?? new Map());
  });
}

async function profile(beginning: string): Promise<void> {
  const contender = contenders.find(({ name }) => name.startsWith(beginning));
  if (contender === undefined) {
    throw new Error(
      `--only ${beginning}: no such contender; there are ${contenders.map(({ name }) => name).join('; ')}`,
    );
  }
  await using server = await startServer(contender.server, { ...starting, fromSources: true });
  const target = createTarget(contender, server, issuer);
  await target.run('echo', { callers: 16, warmUpMs: 2_000, forMs: 1 });
  await server.ask('startProfile');
  const slice = await target.run('echo', { callers: 16, warmUpMs: 0, forMs: 5_000 });
  const taken = await server.ask('stopProfile');
  const calls = slice.latenciesMs.length;
  process.stdout.write(
    `${contender.name}: ${calls} calls of echo, ${slice.cpuMicrosPerCall.toFixed(0)} us of CPU each on all threads\n\n` +
      `${toText(summarize(taken, calls), 25)}\n`,
  );
}

async function save(rows: readonly Row[], memory: readonly MemoryRow[]): Promise<void> {
  if (!options.save) {
    return;
  }
  const file = new URL('./results/http.json', import.meta.url);
  const known = await readFile(file, 'utf8').then(JSON.parse, () => ({}));
  const machine = {
    node: process.versions.node,
    flags: imageFlags,
    cpus,
    pinned,
    loadAverage: { before: loadBefore, after: loadavg() },
  };
  await mkdir(new URL('./results/', import.meta.url), { recursive: true });
  const results = {
    ...known,
    measuredAt: new Date().toISOString(),
    machine,
    rows,
    ...(options.memory && { memory }),
  };
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`);
}
