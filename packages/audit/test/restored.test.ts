import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { openAuditTrail, type AuditTrailOptions } from '../src/index.ts';
import { intent, options, storedEvents, temporaryDirectory } from './fixtures.ts';

/** Runs one call in a trail. */
async function call(trail: AuditTrailOptions, target: string): Promise<void> {
  await using open = await openAuditTrail(trail);
  const entry = await open.begin(intent({ target }));
  await entry.finish({ result: 'success', durationMs: 1 });
}

const targets = async (directory: string) =>
  (await storedEvents(directory)).flatMap((event) => (event.stage === 'intent' ? [event.target] : []));

describe('a trail that is restored from a backup', () => {
  it('is set aside, and a new writer gives no number twice', async () => {
    await using temporary = await temporaryDirectory();
    const trail = join(temporary.path, 'trail');
    const backup = join(temporary.path, 'backup');
    await mkdir(trail);
    await call(options(trail), 'before');
    await cp(trail, backup, { recursive: true, preserveTimestamps: true });
    await call(options(trail), 'after the backup');
    const lost = await storedEvents(trail);
    await rm(trail, { recursive: true });
    await cp(backup, trail, { recursive: true, preserveTimestamps: true });

    const error = vi.fn<(fields: object, message: string) => void>();
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error };
    await call({ ...options(trail), logger }, 'after the restore');
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ folder: expect.stringMatching(/^restored-/u) }),
      'audit trail is a copy: set aside, and a new writer begins',
    );

    const events = await storedEvents(trail);
    expect(await targets(trail)).toContain('after the restore');
    expect(await targets(trail)).not.toContain('before');
    const writers = new Set(lost.map(({ writerId }) => writerId));
    expect(events.filter(({ writerId }) => writers.has(writerId))).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ action: 'audit/restored' }));

    const folder = (await readdir(trail)).find((name) => name.startsWith('restored-'));
    expect(await targets(join(trail, String(folder)))).toEqual(['before']);
  });

  it('keeps its key, so that whoever verifies needs no other', async () => {
    await using temporary = await temporaryDirectory();
    const trail = join(temporary.path, 'trail');
    await mkdir(trail);
    await call(options(trail), 'before');
    const copy = join(temporary.path, 'copy');
    await cp(trail, copy, { recursive: true });
    await call(options(copy), 'after');
    expect((await storedEvents(copy)).map(({ action }) => action)).not.toContain('audit/signing_key_changed');
  });

  it('is told from one that was renamed, restarted, or written by an earlier version', async () => {
    await using temporary = await temporaryDirectory();
    const trail = join(temporary.path, 'trail');
    await mkdir(trail);
    await call(options(trail), 'first');
    await call(options(trail), 'second');
    const moved = join(temporary.path, 'moved');
    await rename(trail, moved);
    await call(options(moved), 'third');
    await rm(join(moved, 'place'));
    await call(options(moved), 'fourth');
    expect(await targets(moved)).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('may be interrupted while it is set aside', async () => {
    await using temporary = await temporaryDirectory();
    const trail = join(temporary.path, 'trail');
    await mkdir(trail);
    await call(options(trail), 'before');
    const copy = join(temporary.path, 'copy');
    await cp(trail, copy, { recursive: true });
    const given = options(copy);
    const { nodeFileSystem } = await import('../src/disk/file-system.ts');
    const failing = {
      ...nodeFileSystem,
      rename: vi.fn<(from: string, to: string) => Promise<void>>(() => Promise.reject(new Error('power'))),
    };
    await expect(openAuditTrail({ ...given, fileSystem: failing })).rejects.toThrow('power');
    await call(given, 'after');
    expect((await readdir(copy)).filter((name) => name.startsWith('restored-'))).toHaveLength(1);
    expect(await targets(copy)).toContain('after');
    expect(await targets(copy)).not.toContain('before');
  });
});
