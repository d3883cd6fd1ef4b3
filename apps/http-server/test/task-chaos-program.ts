// `pnpm chaos:tasks [--kills n]`: kills the server that many times while deployments run, and checks what is left.
import { parseArgs } from 'node:util';

import { runTaskChaos } from './task-chaos.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' } } });
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 1) {
  throw new RangeError(`--kills must be 1 or more, got ${values.kills}`);
}
const startedAt = performance.now();
const result = await runTaskChaos(kills, (kill) => {
  if (kill % 10 === 0) {
    process.stderr.write(`${kill} of ${kills} kills\n`);
  }
});
const { acknowledged, deployments, endings, ...rest } = result;
process.stdout.write(
  `${JSON.stringify({ ...rest, acknowledged, deployments, endings, seconds: Math.round((performance.now() - startedAt) / 1_000) }, undefined, 2)}\n`,
);
const { kills: _, ...faults } = rest;
process.exitCode = Object.values(faults).every((found) => found.length === 0) ? 0 : 1;
