/**
 * `pnpm bench:tokens`: what a model pays for the deployment tools, in tokens of o200k_base: their list, and every answer
 * on the way of one deployment, beside the JSON that the backends gave for it. A client hands a model the text or the
 * structured content, so each is counted alone.
 *
 *   --check   exits with 1 when a target is missed
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { measureJourney, type Step } from './tokens/journey.ts';

const MAX_LIST_TOKENS = 1_500;
const MIN_SAVED = 0.7;

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const journey = await measureJourney();
const sumOf = (of: (step: Step) => number) => journey.steps.reduce((sum, step) => sum + of(step), 0);
const total = {
  step: 'all',
  text: sumOf(({ text }) => text),
  structured: sumOf(({ structured }) => structured),
  raw: sumOf(({ raw }) => raw),
};
const saved = { text: 1 - total.text / total.raw, structured: 1 - total.structured / total.raw };

const line = (cells: readonly (string | number)[]) =>
  `${cells.map((cell, index) => (index === 0 ? String(cell).padEnd(30) : String(cell).padStart(11))).join('')}\n`;
process.stdout.write(line(['tokens', 'text', 'structured', 'raw JSON']));
for (const { step, text, structured, raw } of [...journey.steps, total]) {
  process.stdout.write(line([step, text, structured, raw]));
}
const percent = (share: number) => `${Math.round(share * 100)} %`;
process.stdout.write(line(['fewer', percent(saved.text), percent(saved.structured), '']));
process.stdout.write(
  `tools/list ${journey.list}, of which clients hand a model ${journey.listForModels}; instructions ${journey.instructions}\n`,
);

const folder = new URL('results/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(
  new URL('tokens.json', folder),
  `${JSON.stringify({ encoding: 'o200k_base', ...journey, total, saved }, null, 2)}\n`,
);
const missed = [
  journey.list > MAX_LIST_TOKENS && `tools/list: ${journey.list} tokens, not ${MAX_LIST_TOKENS}`,
  ...Object.entries(saved).map(
    ([form, share]) => share < MIN_SAVED && `${form}: ${percent(share)} fewer, not ${percent(MIN_SAVED)}`,
  ),
].filter((problem) => problem !== false);
for (const problem of missed) {
  process.stderr.write(`missed: ${problem}\n`);
}
process.exitCode = values.check && missed.length > 0 ? 1 : 0;
