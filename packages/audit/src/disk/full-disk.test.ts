import { describe, expect, it } from 'vitest';

import { manualTimers } from '../../test/manual-timers.ts';
import { memoryDisk } from '../../test/memory-disk.ts';
import { AuditError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import { DiskReserve } from './disk-reserve.ts';
import type { AuditFileSystem } from './file-system.ts';
import { FreeSpace } from './free-space.ts';
import { DiskTrouble } from './full-disk.ts';

const DIRECTORY = '/trail';
const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
const broken = Object.assign(new Error('i/o error'), { code: 'EIO' });
const failure = new AuditError('unavailable', 'not durable');

async function openTrouble() {
  const disk = memoryDisk();
  const timers = manualTimers();
  let refusal: Error | undefined;
  const fileSystem: AuditFileSystem = {
    ...disk,
    async open(path, mode) {
      if (refusal !== undefined) {
        throw refusal;
      }
      return disk.open(path, mode);
    },
  };
  const reserve = new DiskReserve(DIRECTORY, fileSystem, 4096);
  await reserve.hold();
  const trouble = new DiskTrouble({
    directory: DIRECTORY,
    fileSystem,
    reserve,
    setTimer: timers.setTimer,
    logger: silentLogger,
  });
  const refuse = (error: Error | undefined): void => void (refusal = error);
  return { disk, timers, reserve, trouble, refuse };
}

describe('a full disk', () => {
  it('gets its reserve back once, for the commit that failed', async () => {
    const { disk, reserve, trouble } = await openTrouble();
    trouble.failed(failure);
    expect(await trouble.makeRoom(full)).toBe(true);
    expect(disk.files.has('/trail/reserve')).toBe(false);
    expect([reserve.isHeld, trouble.fullDisk]).toEqual([false, failure]);
    expect(await trouble.makeRoom(full)).toBe(false);
  });

  it('stays full although a commit found room, until the reserve is taken again', async () => {
    const { timers, reserve, trouble, refuse } = await openTrouble();
    trouble.failed(failure);
    await trouble.makeRoom(full);
    trouble.succeeded();
    expect([trouble.failure, trouble.fullDisk]).toEqual([failure, failure]);

    refuse(full);
    timers.fire();
    await expect.poll(() => timers.delays).toEqual([1000]);
    expect(trouble.fullDisk).toBe(failure);

    refuse(undefined);
    timers.fire();
    await expect.poll(() => trouble.failure).toBeUndefined();
    expect(reserve.isHeld).toBe(true);
  });
});

describe('a disk that fails otherwise', () => {
  it('keeps its reserve, and is well after the next commit', async () => {
    const { reserve, trouble } = await openTrouble();
    trouble.failed(failure);
    expect(await trouble.makeRoom(broken)).toBe(false);
    expect([reserve.isHeld, trouble.failure, trouble.fullDisk]).toEqual([true, failure, undefined]);
    trouble.succeeded();
    expect(trouble.failure).toBeUndefined();
  });

  it('is well, without a commit, when it takes a scratch file, of which nothing is left', async () => {
    const { disk, timers, trouble } = await openTrouble();
    trouble.failed(failure);
    await trouble.makeRoom(broken);
    timers.fire();
    await expect.poll(() => trouble.failure).toBeUndefined();
    expect([...disk.files.keys()]).toEqual(['/trail/reserve']);
    expect(timers.delays).toEqual([]);
  });

  it('is looked after no more once it is closed', async () => {
    const { timers, trouble } = await openTrouble();
    trouble.failed(failure);
    await trouble.makeRoom(broken);
    await trouble.close();
    expect(timers.delays).toEqual([]);
    await trouble.makeRoom(broken);
    expect(timers.delays).toEqual([]);
  });
});

describe('the reserve', () => {
  it('takes all of its space, and is taken over from an earlier run', async () => {
    const disk = memoryDisk();
    await new DiskReserve(DIRECTORY, disk, 5000).hold();
    expect(disk.files.get('/trail/reserve')?.durable.length).toBe(5000);
    const again = new DiskReserve(DIRECTORY, disk, 5000);
    await again.hold();
    expect(again.isHeld).toBe(true);
  });
});

describe('free space', () => {
  it('is reported once when it runs low, again after it was enough, and never where it is not measured', async () => {
    const messages: string[] = [];
    const logger = {
      ...silentLogger,
      error: (_fields: object, message: string) => void messages.push(message),
    };
    let bytes = 100;
    const freeBytes = (): Promise<number> => Promise.resolve(bytes);
    const space = new FreeSpace({
      directory: DIRECTORY,
      fileSystem: { ...memoryDisk(), freeBytes },
      minFreeBytes: 50,
      logger,
    });
    for (bytes of [100, 49, 10, 50, 49]) {
      await space.measure();
      expect(space.trouble?.code).toBe(bytes < 50 ? 'disk_low' : undefined);
    }
    expect(messages).toEqual(['audit disk is low', 'audit disk is low']);

    const unmeasured = new FreeSpace({
      directory: DIRECTORY,
      fileSystem: memoryDisk(),
      minFreeBytes: Infinity,
      logger,
    });
    await unmeasured.measure();
    expect(unmeasured.trouble).toBeUndefined();
  });
});
