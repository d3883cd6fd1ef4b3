import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { nodeFileSystem } from '../src/disk/file-system.ts';
import {
  AuditError,
  createCollectorSink,
  createTrailAdoption,
  openAuditTrail,
  type AuditSink,
} from '../src/index.ts';
import { Collector } from './collector.ts';
import { intent, options, storedEvents, temporaryDirectory } from './fixtures.ts';
import { startWriter } from './writer-process.ts';

const server = { name: 'adopter', version: '1.0.0' };

async function folders(parent: string): Promise<string[]> {
  return (await readdir(parent)).map((name) => join(parent, name));
}

describe('createTrailAdoption', () => {
  it('ships what a killed process left, and closes what it had begun', async () => {
    await using parent = await temporaryDirectory();
    await using collector = await Collector.start();
    const orphan = join(parent.path, '1');
    const writer = await startWriter(orphan);
    await writer.acknowledged(20);
    await writer.kill();

    const sinks = [createCollectorSink({ url: collector.url })];
    const directories = async () => [join(parent.path, 'missing'), ...(await folders(parent.path))];
    await using _adoption = createTrailAdoption({ directories, sinks, server });
    const known = () => new Set(collector.stored.map((event) => event.id));
    await expect.poll(() => writer.ids.filter((id) => !known().has(id)), { timeout: 10_000 }).toEqual([]);
    await expect.poll(async () => (await storedEvents(orphan)).every(({ id }) => known().has(id))).toBe(true);
    const intents = collector.stored.filter((event) => event.stage === 'intent');
    await expect
      .poll(() => collector.stored.filter((event) => event.stage === 'outcome').length)
      .toBe(intents.length);
  });

  it('leaves a trail alone that is in use, and asks again for it later', async () => {
    await using parent = await temporaryDirectory();
    await using collector = await Collector.start();
    const directory = join(parent.path, '1');
    const holder = await openAuditTrail(options(directory));
    await (await holder.begin(intent())).finish({ result: 'success', durationMs: 1 });

    const sinks = [createCollectorSink({ url: collector.url })];
    await using _adoption = createTrailAdoption({
      directories: () => folders(parent.path),
      sinks,
      server,
      intervalMs: 20,
    });
    await expect(openAuditTrail(options(directory))).rejects.toMatchObject({ code: 'locked' });
    expect(collector.stored).toEqual([]);
    await holder.close();
    await expect.poll(() => collector.stored.map((event) => event.sequence)).toEqual([1, 2]);
  });

  it('ends at once although the collector does not answer', async () => {
    await using parent = await temporaryDirectory();
    const trail = await openAuditTrail(options(join(parent.path, '1')));
    await trail.begin(intent());
    await trail.close();
    const asked = Promise.withResolvers<void>();
    const fetch = (): Promise<Response> => {
      asked.resolve();
      return new Promise(() => {});
    };
    const sinks = [createCollectorSink({ url: 'http://127.0.0.1:9/', fetch })];
    const directories = () => folders(parent.path);
    const adoption = createTrailAdoption({ directories, sinks, server, closeTimeoutMs: 1 });
    await asked.promise;
    await adoption.close();
    await using again = await openAuditTrail(options(join(parent.path, '1')));
    expect(again.health().state).toBe('ok');
  });
});

describe('an orphan that is stuck', () => {
  const success = { result: 'success', durationMs: 1 } as const;

  /** Trails of dead processes with one call each, which names its trail. */
  async function orphanTrails(parent: string, count: number): Promise<string[]> {
    const directories = Array.from({ length: count }, (_, index) => join(parent, String(index + 1)));
    for (const directory of directories) {
      await using trail = await openAuditTrail(options(directory));
      await (await trail.begin(intent({ target: directory }))).finish(success);
    }
    return directories;
  }

  it.each([1, 5])('holds up no other, and is set aside after five rounds: %i of them', async (stuck) => {
    await using parent = await temporaryDirectory();
    const directories = await orphanTrails(parent.path, stuck + 3);
    const stuckOnes = new Set(directories.slice(0, stuck));
    const shipped = new Set<string>();
    const sink: AuditSink = {
      name: 'picky',
      async deliver(events) {
        if (events.some(({ target }) => stuckOnes.has(target))) {
          throw new AuditError('refused_by_sink', 'The collector responded with 403');
        }
        events.forEach(({ target }) => shipped.add(target));
      },
    };
    const logged: string[] = [];
    const log = (_fields: object, message: string) => void logged.push(message);
    await using adoption = createTrailAdoption({
      directories: async () => directories,
      sinks: [sink],
      server,
      logger: { warn: log, error: log },
      intervalMs: 1,
      attemptTimeoutMs: 20,
      closeTimeoutMs: 1,
      random: () => 0,
    });
    await expect.poll(() => shipped.size, { timeout: 10_000 }).toBe(3);
    await expect
      .poll(() => adoption.orphans().map(({ state }) => state), { timeout: 10_000 })
      .toEqual(Array.from({ length: stuck }, () => 'set_aside'));
    expect(adoption.orphans()[0]).toMatchObject({ attempts: 5, code: 'refused_by_sink' });
    expect(logged.filter((message) => message === 'audit trail set aside')).toHaveLength(stuck);
  });

  it('keeps no other from being shipped when it cannot be read', async () => {
    await using parent = await temporaryDirectory();
    const [broken = '', whole = ''] = await orphanTrails(parent.path, 2);
    const shipped = new Set<string>();
    const sink: AuditSink = {
      name: 'memory',
      deliver: async (events) => events.forEach(({ target }) => shipped.add(target)),
    };
    await using adoption = createTrailAdoption({
      directories: async () => [broken, whole],
      sinks: [sink],
      server,
      fileSystem: {
        ...nodeFileSystem,
        list: (path) =>
          path === broken ? Promise.reject(new Error('i/o error')) : nodeFileSystem.list(path),
      },
    });
    await expect.poll(() => [...shipped]).toEqual([whole]);
    expect(adoption.orphans()).toMatchObject([{ directory: broken, state: 'waiting', attempts: 1 }]);
  });
});
