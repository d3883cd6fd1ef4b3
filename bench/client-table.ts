// `pnpm bench:table`: writes the figures of bench/results into the README of resilient-client.
import { readFile, writeFile } from 'node:fs/promises';

import { z } from 'zod';

const speeds = z.object({
  rows: z.array(
    z.object({
      contender: z.string(),
      concurrency: z.number(),
      throughputRatio: z.number(),
      cpuRatio: z.number(),
    }),
  ),
});
const behaviours = z.record(
  z.string(),
  z.record(z.string(), z.object({ seen: z.string(), isGood: z.boolean() })),
);

const { rows } = speeds.parse(await readJson('client.json'));
const seen = Object.entries(behaviours.parse(await readJson('client-behaviour.json')));
const names = Object.keys(seen[0]?.[1] ?? {});

const share = (contender: string, member: 'throughputRatio' | 'cpuRatio', digits: number) =>
  [16, 64]
    .map((concurrency) => rows.find((row) => row.contender === contender && row.concurrency === concurrency))
    .map((row) => row?.[member].toFixed(digits) ?? '?')
    .join(' / ');

const table = [
  ['', ...names],
  ['', ...names].map(() => '---'),
  ['calls/s, of raw `undici.request`', ...names.map((name) => share(name, 'throughputRatio', 2))],
  ['CPU per call, of the same', ...names.map((name) => share(name, 'cpuRatio', 1))],
  ...seen.map(([title, byName]) => [
    title,
    ...names.map((name) => `${byName[name]?.seen ?? '?'}${byName[name]?.isGood === true ? '' : ' ✗'}`),
  ]),
]
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n');

const readme = new URL('../packages/resilient-client/README.md', import.meta.url);
const text = await readFile(readme, 'utf8');
// The one table whose head names the first contender.
const old = /^\|[^\n]*\| resilient-client +\|(?:.*\n\|)*.*$/mu;
if (!old.test(text)) {
  throw new Error('the README has no table with a column resilient-client');
}
await writeFile(
  readme,
  text.replace(old, () => table),
);

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`./results/${name}`, import.meta.url), 'utf8'));
}
