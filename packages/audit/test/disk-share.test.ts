import { rm } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { openAuditTrail, type AuditTrail } from '../src/index.ts';
import { clock, intent, options, segmentFiles, storedEvents, temporaryDirectory } from './fixtures.ts';

const MIB = 1024 ** 2;
const success = { result: 'success', durationMs: 1 } as const;
const text = 'x'.repeat(1000);
/** Some 60 KB. */
const large = intent({
  arguments: Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`a${index}`, text])),
});

async function fill(trail: AuditTrail): Promise<number> {
  for (let calls = 0; ; calls += 1) {
    try {
      await (await trail.begin(large)).finish(success);
    } catch {
      return calls;
    }
  }
}

describe("the trail's share of the disk", () => {
  it('stops intents when it is used up, takes the outcomes of running calls, and says why', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail({ ...options(directory.path), maxBytes: MIB });
    const running = await trail.begin(intent({ correlationId: 'running' }));
    const calls = await fill(trail);
    expect(calls).toBeGreaterThan(10);
    await expect(trail.begin(intent())).rejects.toMatchObject({
      code: 'disk_quota',
      publicMessage: expect.stringContaining('share of the disk'),
    });
    await running.finish(success);
    const health = trail.health();
    expect(health).toMatchObject({ state: 'unavailable', lastError: { code: 'disk_quota' } });
    expect(health.disk.usedBytes).toBeGreaterThanOrEqual(MIB);
    expect(health.disk.usedBytes).toBeLessThan(1.2 * MIB);
    expect((await storedEvents(directory.path)).at(-1)).toMatchObject({ correlationId: 'running' });
  });

  it('counts what is there from the first call on, and again when room was made', async () => {
    await using directory = await temporaryDirectory();
    {
      await using trail = await openAuditTrail({ ...options(directory.path), segmentBytes: 100_000 });
      for (let index = 0; index < 20; index += 1) {
        await (await trail.begin(large)).finish(success);
      }
    }
    const time = clock();
    await using trail = await openAuditTrail({ ...options(directory.path), ...time, maxBytes: MIB });
    await expect(trail.begin(intent())).rejects.toMatchObject({ code: 'disk_quota' });
    await expect.poll(() => time.isWaiting).toBe(true);
    for (const path of (await segmentFiles(directory.path)).slice(0, 8)) {
      await rm(path);
    }
    time.advance(60_000);
    await expect.poll(() => trail.health().disk.usedBytes).toBeLessThan(MIB);
    await trail.begin(intent());
  });

  it('is announced at four fifths', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail({ ...options(directory.path), maxBytes: MIB });
    expect(trail.health().state).toBe('ok');
    while (trail.health().disk.usedBytes < 0.8 * MIB) {
      await (await trail.begin(large)).finish(success);
    }
    expect(trail.health()).toMatchObject({ state: 'degraded', lastError: { code: 'disk_low' } });
  });

  it('is foretold from its growth: by the share, or by the disk where that ends first', async () => {
    await using directory = await temporaryDirectory();
    const time = clock();
    await using trail = await openAuditTrail({ ...options(directory.path), ...time, maxBytes: 100 * MIB });
    expect(trail.health().disk).not.toHaveProperty('hoursLeft');
    const before = trail.health().disk.usedBytes;
    for (let hour = 0; hour < 6; hour += 1) {
      await (await trail.begin(large)).finish(success);
      await expect.poll(() => time.isWaiting).toBe(true);
      time.advance(3_600_000);
    }
    const { disk } = trail.health();
    const perHour = (disk.usedBytes - before) / 6;
    expect(disk.growthBytesPerDay).toBeCloseTo(perHour * 24, -1);
    expect(disk.hoursLeft).toBeCloseTo((disk.maxBytes - disk.usedBytes) / perHour, 0);
    expect(disk.freeBytes).toBeGreaterThan(0);
  });
});
