/**
 * `pnpm bench:stdio`: from the start of a program to its response to the first request, beside bare SDKs and a program
 * without dependencies; and what it holds then. Starts are interleaved, so that the machine's moods are shared.
 *
 *   --check  exits with 1 when a target is missed
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { FLOOR, openWorld, OURS, OURS_WITH_TOKEN, SDK_2, type Opening } from './stdio/contenders.ts';
import { start, type Start } from './stdio/start.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    check: { type: 'boolean', default: false },
    /** Writes bench/results/stdio.json. */
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

interface Row {
  readonly contender: string;
  readonly opening: Opening;
  readonly firstResponseMs: number;
  readonly cpuMs: number;
  readonly rssMiB: number;
  /** Medians over rounds, each within its round. */
  readonly timeOfSdk2: number;
  readonly timeOfFloor: number;
  readonly cpuOfSdk2: number;
}

const loadBefore = loadavg();
await using world = await openWorld();
const programs = world.contenders.flatMap((contender) =>
  contender.openings.map((opening) => ({ contender, opening, starts: [] as Start[] })),
);
// The first round fills the caches of the disk.
for (let round = -1; round < Number(options.rounds); round += 1) {
  const first = (round + 1) % programs.length;
  for (const { contender, opening, starts } of [...programs.slice(first), ...programs.slice(0, first)]) {
    const measured = await start(contender, opening);
    if (round >= 0) {
      starts.push(measured);
    }
  }
}

const rows = programs.map(({ contender, opening, starts }): Row => {
  const ratio = (name: string, of: 'firstResponseMs' | 'cpuMs') => {
    const other = programs.find((program) => program.contender.name === name && program.opening === opening);
    return median(
      starts.map((measured, round) => measured[of] / (other?.starts[round]?.[of] ?? Number.NaN)),
      2,
    );
  };
  return {
    contender: contender.name,
    opening,
    firstResponseMs: median(
      starts.map(({ firstResponseMs }) => firstResponseMs),
      0,
    ),
    cpuMs: median(
      starts.map(({ cpuMs }) => cpuMs),
      0,
    ),
    rssMiB: median(
      starts.map(({ rssMiB }) => rssMiB),
      0,
    ),
    timeOfSdk2: ratio(SDK_2, 'firstResponseMs'),
    timeOfFloor: ratio(FLOOR, 'firstResponseMs'),
    cpuOfSdk2: ratio(SDK_2, 'cpuMs'),
  };
});
for (const row of rows) {
  process.stdout.write(
    `${row.contender.padEnd(22)} ${row.opening.padEnd(15)} ${String(row.firstResponseMs).padStart(6)} ms` +
      `  ${row.timeOfSdk2.toFixed(2)} x SDK 2  ${row.timeOfFloor.toFixed(2)} x floor  ${String(row.cpuMs).padStart(5)} ms of CPU (${row.cpuOfSdk2.toFixed(2)} x SDK 2)  ${row.rssMiB} MiB\n`,
  );
}
if (options.save) {
  const folder = new URL('./results/', import.meta.url);
  await mkdir(folder, { recursive: true });
  const results = {
    measuredAt: new Date().toISOString(),
    machine: {
      node: process.versions.node,
      cpus: availableParallelism(),
      loadAverage: { before: loadBefore, after: loadavg() },
    },
    rounds: Number(options.rounds),
    rows,
  };
  await writeFile(new URL('stdio.json', folder), `${JSON.stringify(results, undefined, 2)}\n`);
}
const missed = rows
  .filter(({ contender }) => contender === OURS || contender === OURS_WITH_TOKEN)
  .flatMap(({ contender, opening, timeOfSdk2, rssMiB }) => [
    ...(timeOfSdk2 <= 1 ? [] : [`${contender}, ${opening}: ${timeOfSdk2} x the time of SDK 2, not 1`]),
    ...(rssMiB <= 90 ? [] : [`${contender}, ${opening}: ${rssMiB} MiB, not 90`]),
  ]);
process.stdout.write(missed.map((target) => `missed: ${target}\n`).join(''));
if (options.check && missed.length > 0) {
  process.exitCode = 1;
}

function median(values: readonly number[], digits: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[sorted.length >> 1] ?? Number.NaN).toFixed(digits));
}
