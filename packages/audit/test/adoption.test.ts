import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createTrailAdoption, createCollectorSink, openAuditTrail } from '../src/index.ts';
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
