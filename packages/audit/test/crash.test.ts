import { describe, expect, it } from 'vitest';

import { runChaos, runPowerLoss } from './chaos.ts';
import { memoryDisk } from './memory-disk.ts';

describe('kill -9 under load', () => {
  // Each round starts a process, which takes longest on a busy machine: `pnpm chaos:audit` runs 1,000 of them.
  it('loses no acknowledged event, on disk or at a flapping collector', { timeout: 120_000 }, async () => {
    expect(await runChaos(12)).toEqual({
      rounds: 12,
      acknowledged: expect.any(Number),
      repeatedDeliveries: expect.any(Number),
      lostOnDisk: [],
      lostAtCollector: [],
      duplicatesOnDisk: 0,
      gapsInSequence: 0,
      isOrderKept: true,
      intentsWithoutOneOutcome: 0,
      findings: [],
    });
  });
});

describe('power loss under load', () => {
  it('loses no acknowledged event', { timeout: 120_000 }, async () => {
    const { acknowledged, lost, findings } = await runPowerLoss(40, memoryDisk());
    expect(acknowledged).toBeGreaterThan(100);
    expect({ lost, findings }).toEqual({ lost: 0, findings: [] });
  });

  it('would lose events without fsync, so this test can tell', { timeout: 120_000 }, async () => {
    expect((await runPowerLoss(20, memoryDisk({ isHonest: false }))).lost).toBeGreaterThan(0);
  });
});
