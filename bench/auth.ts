/**
 * Measures what signing in costs: the token and the policy on each call, beside jose alone; and the groups of callers,
 * from an OpenLDAP server on this machine.
 *
 *   pnpm bench:auth [rounds]
 *
 * Needs slapd (Debian: slapd, ldap-utils) for the second half. Server and client share the machine, so throughput is that of both together;
 * trust the counts and the CPU time.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';

import { measureCalls } from './auth/calls.ts';
import { measureDirectory, type DirectoryFigures } from './auth/directory.ts';

/** The round whose look-ups were neither the fastest nor the slowest. */
function middleRound(rounds: readonly DirectoryFigures[]): DirectoryFigures {
  const middle = rounds.toSorted((a, b) => a.lookupsPerSecond - b.lookupsPerSecond)[rounds.length >> 1];
  if (middle === undefined) {
    throw new RangeError('rounds must be at least 1');
  }
  return middle;
}

const [rounds = 5] = process.argv.slice(2).map(Number);
const loadBefore = loadavg();
const calls = await measureCalls(rounds);
const measured: DirectoryFigures[] = [];
for (let round = 0; round < rounds; round += 1) {
  measured.push(await measureDirectory());
}
const directory = middleRound(measured);
const report = {
  measuredAt: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version },
  loadAverage: { before: loadBefore, after: loadavg() },
  rounds,
  calls,
  directory,
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
const results = new URL('results/', import.meta.url);
await mkdir(results, { recursive: true });
await writeFile(new URL('auth.json', results), `${JSON.stringify(report, undefined, 2)}\n`);
