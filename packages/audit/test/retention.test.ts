import { readdir } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { systemTimer } from '../src/clock.ts';
import { nodeFileSystem } from '../src/disk/file-system.ts';
import { openAuditTrail, verifyTrail, type AuditTrail, type AuditTrailOptions } from '../src/index.ts';
import { intent, options, temporaryDirectory } from './fixtures.ts';

const success = { result: 'success', durationMs: 12 } as const;
const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const MAINTENANCE_MS = 60_000;

/** Timers of which only maintenance ever fires, when a test says so. */
function maintenanceTimer() {
  let callback: (() => void) | undefined;
  const setTimer: AuditTrailOptions['setTimer'] = (given, delayMs) => {
    if (delayMs === MAINTENANCE_MS) {
      callback = given;
    }
    return () => {};
  };
  /** Runs one round of it, once the one before it is over. */
  const fire = async (): Promise<void> => {
    await expect.poll(() => callback).toBeDefined();
    const run = callback;
    callback = undefined;
    run?.();
    await expect.poll(() => callback).toBeDefined();
  };
  return { setTimer, fire };
}

async function calls(trail: AuditTrail, count: number): Promise<void> {
  for (let call = 0; call < count; call += 1) {
    await (await trail.begin(intent())).finish(success);
  }
}

async function segments(directory: string): Promise<number> {
  return (await readdir(directory)).filter((name) => name.startsWith('000')).length;
}

describe('retention and a clock that is wrong', () => {
  const steps = [10 * YEAR_MS, 31 * DAY_MS, -10 * YEAR_MS];

  it.each(steps)('removes nothing by a step of %i ms, before the start or under way', async (stepMs) => {
    await using directory = await temporaryDirectory();
    const { setTimer, fire } = maintenanceTimer();
    let now = Date.now();
    const settings = {
      ...options(directory.path),
      segmentBytes: 3000,
      keepDays: 30,
      setTimer,
      // The checkpoints have the same interval otherwise.
      checkpointIntervalMs: MAINTENANCE_MS - 1,
    };
    {
      await using trail = await openAuditTrail({ ...settings, now: () => now });
      await calls(trail, 20);
      now += stepMs;
      for (let round = 0; round < 3; round += 1) {
        await fire();
        await calls(trail, 1);
      }
    }
    const { events, isIntact, firstSequence } = await verifyTrail({ directory: directory.path });
    expect({ events, isIntact, firstSequence }).toEqual({ events: 46, isIntact: true, firstSequence: 1 });
  });

  it('removes nothing at a start with a clock that is far ahead of the last record', async () => {
    await using directory = await temporaryDirectory();
    const settings = { ...options(directory.path), segmentBytes: 3000, keepDays: 7 * 365 };
    {
      await using trail = await openAuditTrail(settings);
      await calls(trail, 20);
    }
    const warnings: string[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (_: object, text: string) => void warnings.push(text),
    };
    {
      await using trail = await openAuditTrail({ ...settings, logger, now: () => Date.now() + 10 * YEAR_MS });
      await calls(trail, 5);
    }
    expect(warnings).toContain('audit retention waits: the clock is ahead of the trail');
    expect(await verifyTrail({ directory: directory.path })).toMatchObject({
      isIntact: true,
      firstSequence: 1,
    });
  });

  it('takes no segment for older than the one before it', async () => {
    await using directory = await temporaryDirectory();
    const settings = { ...options(directory.path), segmentBytes: 3000, keepDays: 30 };
    const at = [0, -10 * YEAR_MS, 0];
    for (const stepMs of at) {
      await using trail = await openAuditTrail({
        ...settings,
        keepDays: undefined,
        now: () => Date.now() + stepMs,
      });
      await calls(trail, 6);
    }
    const before = await segments(directory.path);
    {
      await using trail = await openAuditTrail(settings);
      await calls(trail, 1);
    }
    expect(await segments(directory.path)).toBeGreaterThan(before);
  });

  it('removes a few segments at a time', async () => {
    await using directory = await temporaryDirectory();
    const settings = { ...options(directory.path), segmentBytes: 1, ...maintenanceTimer() };
    {
      await using trail = await openAuditTrail({ ...settings, now: () => Date.now() - 40 * DAY_MS });
      await calls(trail, 20);
    }
    {
      await using trail = await openAuditTrail(settings);
      await calls(trail, 1);
    }
    const before = await segments(directory.path);
    {
      await using _trail = await openAuditTrail({ ...settings, keepDays: 30 });
      // The tombstone has a segment of its own.
      await expect.poll(() => segments(directory.path)).toBe(before - 8 + 1);
    }
    expect(await verifyTrail({ directory: directory.path })).toMatchObject({ isIntact: true });
  });
});

describe('close()', () => {
  it('ends although a segment could not be created while something was to be removed', async () => {
    await using directory = await temporaryDirectory();
    {
      await using trail = await openAuditTrail({
        ...options(directory.path),
        segmentBytes: 3000,
        now: () => Date.now() - 3 * DAY_MS,
      });
      await calls(trail, 10);
    }
    {
      await using trail = await openAuditTrail(options(directory.path));
      await calls(trail, 1);
    }
    let isRefused = false;
    const open: typeof nodeFileSystem.open = async (path, mode) => {
      if (mode === 'create') {
        isRefused = true;
        throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      }
      return nodeFileSystem.open(path, mode);
    };
    const settings = { ...options(directory.path), keepDays: 1, fileSystem: { ...nodeFileSystem, open } };
    const trail = await openAuditTrail(settings);
    await expect.poll(() => isRefused).toBe(true);
    await trail.close();
  });

  it('ends in time although a write hangs, and keeps the directory until it is through', async () => {
    await using directory = await temporaryDirectory();
    const written = Promise.withResolvers<void>();
    let isHanging = false;
    const open: typeof nodeFileSystem.open = async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...file,
        async writeDurably(bytes, offset) {
          if (isHanging) {
            await written.promise;
          }
          await file.writeDurably(bytes, offset);
        },
      };
    };
    const settings = { ...options(directory.path), setTimer: systemTimer, closeTimeoutMs: 1 };
    const trail = await openAuditTrail({ ...settings, fileSystem: { ...nodeFileSystem, open } });
    await calls(trail, 1);
    isHanging = true;
    const pending = trail.begin(intent()).catch(() => {});
    await trail.close();
    await expect(openAuditTrail(options(directory.path))).rejects.toMatchObject({ code: 'locked' });
    written.resolve();
    await pending;
    await expect
      .poll(async () => {
        const again = await openAuditTrail(options(directory.path)).catch(() => undefined);
        await again?.close();
        return again !== undefined;
      })
      .toBe(true);
  });
});
