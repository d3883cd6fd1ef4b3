/**
 * `pnpm cost`: what a number of calls needs, from the latest benchmark of this repository, and what that costs at your
 * prices. Prices are in whatever unit you pay in; those left out are not added up.
 *
 *   --calls <n>             calls in a month                      [30000000]
 *   --peak <n>              busiest hour over the mean            [5]
 *   --keep-days <n>         AUDIT_KEEP_DAYS                       [30]
 *   --min-replicas <n>      for availability                      [3]
 *   --kb-per-call <n>       request, answer and audit event on the wire, in KB [6]
 *   --price-core-hour, --price-gib-hour, --price-gib-month, --price-gb-out <n>
 *   --json
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

const HOURS = 730;
const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '30000000' },
    peak: { type: 'string', default: '5' },
    'keep-days': { type: 'string', default: '30' },
    'min-replicas': { type: 'string', default: '3' },
    'kb-per-call': { type: 'string', default: '6' },
    'price-core-hour': { type: 'string' },
    'price-gib-hour': { type: 'string' },
    'price-gib-month': { type: 'string' },
    'price-gb-out': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const bench = JSON.parse(await readFile(new URL('../bench/results/http.json', import.meta.url), 'utf8'));
const contender = 'ours everything';
const { cpuMicrosPerCall } = bench.rows.find(
  (row) => row.contender === contender && row.call === 'echo' && row.callers === 16,
);
const { rssMiB } = bench.memory.find((row) => row.contender === contender);
/** docs/audit.md: one call in the segment that is written to, and in a closed one. */
const BYTES_OPEN = 2_140;
const BYTES_CLOSED = 265;
/** Of one core: what a replica takes before it refuses lists. */
const UTILISATION = 0.6;
/** A backend call, its retries and the network beside the pipeline that the benchmark measures. */
const WORK_FACTOR = 2;

const calls = number('calls');
const peakPerSecond = (calls / (HOURS * 3600)) * number('peak');
const cpuMicros = cpuMicrosPerCall * WORK_FACTOR;
const forLoad = Math.ceil((peakPerSecond * cpuMicros) / 1e6 / UTILISATION);
const replicas = Math.max(number('min-replicas'), forLoad + 1);
const memoryGiB = Math.ceil((rssMiB * 1.4) / 128) / 8;
const diskGiB = ((calls / 30) * BYTES_CLOSED * number('keep-days')) / 2 ** 30 + replicas * 0.125;
const egressGB = (calls * number('kb-per-call')) / 1e6;
const cpuCoreHours = (calls * cpuMicros) / 1e6 / 3600;

const needs = {
  callsPerMonth: calls,
  peakCallsPerSecond: round(peakPerSecond),
  cpuMicrosPerCall: round(cpuMicros),
  cpuCoreHours: round(cpuCoreHours),
  replicas,
  reason: replicas > forLoad + 1 ? 'availability' : 'load',
  memoryGiBPerReplica: memoryGiB,
  diskGiB: round(diskGiB),
  callsPerGiBOfTrail: Math.round(2 ** 30 / BYTES_CLOSED),
  callsPerGiBUndelivered: Math.round(2 ** 30 / BYTES_OPEN),
  egressGB: round(egressGB),
};
const parts = [
  ['processor', price('price-core-hour'), cpuCoreHours + replicas * 0.02 * HOURS],
  ['memory', price('price-gib-hour'), replicas * memoryGiB * HOURS],
  ['disk', price('price-gib-month'), diskGiB],
  ['network', price('price-gb-out'), egressGB],
].filter(([, unit]) => unit !== undefined);
const month = Object.fromEntries(parts.map(([name, unit, amount]) => [name, round(unit * amount)]));
const total = round(parts.reduce((sum, [, unit, amount]) => sum + unit * amount, 0));

if (values.json) {
  process.stdout.write(`${JSON.stringify({ ...needs, ...(parts.length > 0 && { month, total }) })}\n`);
} else {
  process.stdout
    .write(`${calls.toLocaleString('en')} calls a month, ${needs.peakCallsPerSecond} a second in the busiest hour

  processor   ${needs.cpuCoreHours} core hours (${needs.cpuMicrosPerCall} µs a call)
  replicas    ${replicas}, for ${needs.reason}; ${memoryGiB} GiB of memory each
  disk        ${needs.diskGiB} GiB for the trail of ${values['keep-days']} days
  network     ${needs.egressGB} GB out
`);
  if (parts.length > 0) {
    process.stdout.write(
      `\nPer month: ${total} (${Object.entries(month)
        .map(([name, amount]) => `${name} ${amount}`)
        .join(', ')})\n`,
    );
  }
}

function number(name) {
  const value = Number(values[name]);
  if (!(value > 0)) {
    process.stderr.write(`--${name} must be a number above 0\n`);
    process.exit(2);
  }
  return value;
}

function price(name) {
  return values[name] === undefined ? undefined : number(name);
}

function round(value) {
  return Number(value.toPrecision(3));
}
