// `pnpm chaos:audit [rounds]`: kills a writer and cuts the power of a disk that many times, and checks what is left.
import { runChaos, runPowerLoss, type ChaosResult } from './chaos.ts';
import { memoryDisk } from './memory-disk.ts';

// A trail and its disk are kept in memory and read as a whole in the end: one for all rounds would take hours.
const ROUNDS_PER_TRAIL = 50;

const rounds = Number(process.argv[2] ?? 1000);
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new RangeError(`rounds must be 1 or more, got ${rounds}`);
}
const startedAt = performance.now();
const portions = Array.from({ length: Math.ceil(rounds / ROUNDS_PER_TRAIL) }, (_, index) =>
  Math.min(ROUNDS_PER_TRAIL, rounds - index * ROUNDS_PER_TRAIL),
);

const cuts = [];
for (const portion of portions) {
  cuts.push(await runPowerLoss(portion, memoryDisk()));
  tell(`${sum(portions.slice(0, cuts.length))} of ${rounds} power losses`);
}
const withoutSync = await runPowerLoss(Math.min(rounds, 100), memoryDisk({ isHonest: false }));

const kills: ChaosResult[] = [];
for (const portion of portions) {
  const before = sum(portions.slice(0, kills.length));
  kills.push(
    await runChaos(portion, (round) => {
      if (round % 10 === 0) {
        tell(`${before + round} of ${rounds} kills`);
      }
    }),
  );
}

const summary = {
  rounds,
  trails: portions.length,
  powerLoss: {
    acknowledged: sum(cuts.map(({ acknowledged }) => acknowledged)),
    lost: sum(cuts.map(({ lost }) => lost)),
    findings: cuts.flatMap(({ findings }) => findings),
  },
  // A disk that never syncs must lose events, or the emulation shows nothing.
  lostWithoutSync: withoutSync.lost,
  killed: {
    acknowledged: sum(kills.map(({ acknowledged }) => acknowledged)),
    repeatedDeliveries: sum(kills.map(({ repeatedDeliveries }) => repeatedDeliveries)),
    lostOnDisk: sum(kills.map(({ lostOnDisk }) => lostOnDisk.length)),
    lostAtCollector: sum(kills.map(({ lostAtCollector }) => lostAtCollector.length)),
    duplicatesOnDisk: sum(kills.map(({ duplicatesOnDisk }) => duplicatesOnDisk)),
    gapsInSequence: sum(kills.map(({ gapsInSequence }) => gapsInSequence)),
    intentsWithoutOneOutcome: sum(kills.map((kill) => kill.intentsWithoutOneOutcome)),
    outOfOrder: kills.filter(({ isOrderKept }) => !isOrderKept).length,
    findings: kills.flatMap(({ findings }) => findings),
  },
  seconds: Math.round((performance.now() - startedAt) / 1000),
};
const { acknowledged: _acknowledged, repeatedDeliveries: _repeated, findings, ...faults } = summary.killed;
const isRight =
  summary.powerLoss.lost + summary.powerLoss.findings.length === 0 &&
  summary.lostWithoutSync > 0 &&
  sum(Object.values(faults)) + findings.length === 0;
tell(JSON.stringify(summary, undefined, 2));
tell(isRight ? 'chaos:audit passed' : 'chaos:audit FAILED');
if (!isRight) {
  process.exitCode = 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
