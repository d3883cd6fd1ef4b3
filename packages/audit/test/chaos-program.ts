// `pnpm chaos:audit [rounds]`: kills a writer and cuts the power of a disk that many times, and checks what is left.
import { runChaos, runPowerLoss } from './chaos.ts';
import { memoryDisk } from './memory-disk.ts';

const rounds = Number(process.argv[2] ?? 1000);
const startedAt = performance.now();
const powerLoss = await runPowerLoss(rounds, memoryDisk());
const withoutSync = await runPowerLoss(Math.min(rounds, 100), memoryDisk({ isHonest: false }));
process.stderr.write(`${JSON.stringify({ powerLoss, withoutSync })}\n`);
const killed = await runChaos(rounds, (round, acknowledged) => {
  if (round % 50 === 0) process.stderr.write(`${round} kills, ${acknowledged} events acknowledged\n`);
});
const seconds = Math.round((performance.now() - startedAt) / 1000);
process.stderr.write(`${JSON.stringify({ killed, seconds }, undefined, 2)}\n`);
const isRight =
  powerLoss.lost + powerLoss.findings.length === 0 &&
  // A disk that never syncs must lose events, or the emulation shows nothing.
  withoutSync.lost > 0 &&
  killed.lostOnDisk.length + killed.lostAtCollector.length + killed.findings.length === 0 &&
  killed.duplicatesOnDisk + killed.gapsInSequence + killed.intentsWithoutOneOutcome === 0 &&
  killed.isOrderKept;
if (!isRight) process.exitCode = 1;
