/** What a log line costs beside pino's: the same records, in turns, so that a busy machine slows both. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

import { createLogger } from '@mcp-parts/observability';
import { pino } from 'pino';

const LINES = 5_000;
const ROUNDS = 30;
// Like every real destination it encodes the line, which pino only then puts together.
const encoded = Buffer.alloc(64 * 1024);
const sink = { write: (line: string) => void encoded.write(line) };
const ours = createLogger({ name: 'bench', destination: sink });
const plain = pino({ name: 'bench' }, sink);

const call = {
  correlationId: 'cef2ac6b-2657-4f74-8412-6d111a92c1bb',
  tool: 'trigger_deployment',
  caller: 'https://idp.example.com#alice',
  durationMs: 12,
};
const records = {
  call,
  error: { ...call, err: new Error('the deployment API did not answer') },
  secret: { ...call, headers: { authorization: 'Bearer planted', accept: '*/*' } },
};

const results: Record<string, { oursUs: number; pinoUs: number; ratio: number }> = {};
for (const [name, record] of Object.entries(records)) {
  const times = { ours: [] as number[], plain: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [kind, logger] of [
      ['ours', ours],
      ['plain', plain],
    ] as const) {
      const start = process.cpuUsage();
      for (let line = 0; line < LINES; line += 1) {
        logger.info(record, 'call ended');
      }
      const { user, system } = process.cpuUsage(start);
      times[kind].push((user + system) / LINES);
    }
  }
  const oursUs = median(times.ours);
  const pinoUs = median(times.plain);
  results[name] = { oursUs, pinoUs, ratio: oursUs / pinoUs };
}

for (const [name, { oursUs, pinoUs, ratio }] of Object.entries(results)) {
  process.stdout.write(
    `${name.padEnd(8)} ours ${oursUs.toFixed(1)} µs, pino ${pinoUs.toFixed(1)} µs a line: ${ratio.toFixed(2)} times\n`,
  );
}
const folder = new URL('results/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(
  new URL('log.json', folder),
  `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, linesPerRound: LINES, rounds: ROUNDS, results }, null, 2)}\n`,
);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
