import { describe, expect, it } from 'vitest';

import { createCollectorSink, openAuditTrail } from '../src/index.ts';
import { Collector, type CollectorMode } from './collector.ts';
import { options, storedEvents, temporaryDirectory } from './fixtures.ts';
import { startWriter } from './writer-process.ts';

const ROUNDS: readonly CollectorMode[] = [
  'accept',
  'reset-after',
  'refuse',
  'accept',
  'reset-before',
  'accept',
];

describe('kill -9 under load', () => {
  it('loses no acknowledged event, on disk or at the collector', { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const acknowledged: string[] = [];
    for (const mode of ROUNDS) {
      collector.mode = mode;
      const writer = await startWriter(directory.path, collector.url);
      await writer.acknowledged(150);
      await writer.kill();
      acknowledged.push(...writer.ids);
    }
    collector.mode = 'accept';
    {
      const sinks = [createCollectorSink({ url: collector.url })];
      await using trail = await openAuditTrail({ ...options(directory.path), sinks });
      await trail.flush();
    }

    const stored = await storedEvents(directory.path);
    const ids = stored.map((event) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    expect(stored.map((event) => event.sequence)).toEqual(stored.map((_, index) => index + 1));
    expect(collector.stored.map((event) => event.id)).toEqual(ids);
    const intents = stored.filter((event) => event.stage === 'intent').map((event) => event.id);
    const outcomes = stored.filter((event) => event.stage === 'outcome').map((event) => event.intentId);
    expect(outcomes.toSorted()).toEqual(intents.toSorted());
  });
});
