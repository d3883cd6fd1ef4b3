import { copyFile, mkdir, readFile, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { nodeFileSystem, readIfPresent } from '../src/disk/file-system.ts';
import { openAuditTrail } from '../src/index.ts';
import { intent, options, temporaryDirectory } from './fixtures.ts';

const success = { result: 'success', durationMs: 12 } as const;
const FIRST = '0000000001.jsonl';

/** What may happen to a trail under a running server. */
const mishaps: Readonly<Record<string, (directory: string) => Promise<void>>> = {
  'its directory is removed': (directory) => rm(directory, { recursive: true }),
  'its directory is moved': (directory) => rename(directory, `${directory}-moved`),
  async 'its directory is replaced by a copy'(directory) {
    await rename(directory, `${directory}-moved`);
    await mkdir(directory);
    for (const name of [FIRST, 'lock.db', 'signing-key.pem']) {
      await copyFile(join(`${directory}-moved`, name), join(directory, name));
    }
  },
  'its segment is removed': (directory) => unlink(join(directory, FIRST)),
  'its segment is renamed': (directory) => rename(join(directory, FIRST), join(directory, 'old.jsonl')),
  async 'its segment is replaced by a copy'(directory) {
    const bytes = await readFile(join(directory, FIRST));
    await unlink(join(directory, FIRST));
    await writeFile(join(directory, FIRST), bytes);
  },
  'its segment is cut': (directory) => truncate(join(directory, FIRST), 100),
  'its segment is emptied': (directory) => truncate(join(directory, FIRST), 0),
  'somebody else appends to its segment': (directory) =>
    writeFile(join(directory, FIRST), 'x\n', { flag: 'a' }),
  'its lock is removed': (directory) => unlink(join(directory, 'lock.db')),
};

describe.skipIf(process.platform === 'win32')('a trail that is lost under a running server', () => {
  it.each(Object.entries(mishaps))(
    'is noticed before the next acknowledgement: %s',
    async (_name, happens) => {
      await using parent = await temporaryDirectory();
      const directory = join(parent.path, 'trail');
      await using trail = await openAuditTrail(options(directory));
      const running = await trail.begin(intent());
      await happens(directory);
      const found = await readIfPresent(nodeFileSystem, directory, FIRST);

      await expect(running.finish(success)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(trail.begin(intent())).rejects.toMatchObject({
        code: 'unavailable',
        cause: { code: 'lost' },
      });
      expect(trail.health()).toMatchObject({ state: 'unavailable', lastError: { code: 'lost' } });
      // What is at its place now is left alone, apart from the commit that found out.
      const left = await readIfPresent(nodeFileSystem, directory, FIRST);
      expect(left?.subarray(0, found?.length)).toEqual(found);
    },
  );

  it('stays unavailable until it is opened again, whatever is put back', async () => {
    await using parent = await temporaryDirectory();
    const directory = join(parent.path, 'trail');
    const trail = await openAuditTrail(options(directory));
    await trail.begin(intent());
    await rename(directory, `${directory}-moved`);
    await expect(trail.begin(intent())).rejects.toMatchObject({ code: 'unavailable' });
    await rename(`${directory}-moved`, directory);
    await expect(trail.begin(intent())).rejects.toMatchObject({ code: 'unavailable' });
    expect(trail.health().state).toBe('unavailable');
    await trail.close();
    await using again = await openAuditTrail(options(directory));
    expect(again.health().state).toBe('ok');
    await again.begin(intent());
  });

  it('is noticed between two segments', async () => {
    await using parent = await temporaryDirectory();
    const directory = join(parent.path, 'trail');
    await using trail = await openAuditTrail({ ...options(directory), segmentBytes: 1 });
    await trail.begin(intent());
    await rm(directory, { recursive: true });
    await mkdir(directory);
    await expect(trail.begin(intent())).rejects.toMatchObject({ cause: { code: 'lost' } });
  });
});
