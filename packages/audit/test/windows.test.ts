import { describe, expect, it, vi } from 'vitest';

import * as platform from '../src/disk/platform-files.ts';
import { temporaryDirectory } from './fixtures.ts';

// Everything below, the tests themselves included, works on a file system that refuses what Windows refuses.
vi.mock('node:fs/promises', async (importActual) => {
  const { windowsRefusals } = await import('./windows-refusals.ts');
  return windowsRefusals(await importActual());
});
vi.mock('../src/disk/platform-files.ts', async (importActual) => {
  const actual = await importActual<typeof platform>();
  return { ...actual, platformFiles: actual.createPlatformFiles('win32') };
});

describe('a file system that refuses what Windows refuses', () => {
  it('fails what is not written for it', async () => {
    await using directory = await temporaryDirectory();
    await expect(platform.createPlatformFiles('linux').syncDirectory(directory.path)).rejects.toThrow(
      'EPERM',
    );
  });
});

await import('./storage.test.ts');
await import('./lock.test.ts');
await import('./adoption.test.ts');
await import('./upkeep.test.ts');
await import('./corruption.test.ts');
await import('./damage.test.ts');
await import('./delivery.test.ts');
await import('./privacy.test.ts');
await import('./sinks.test.ts');
await import('./cli.test.ts');
