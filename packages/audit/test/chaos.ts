import { generateKeyPairSync } from 'node:crypto';

import { systemTimer } from '../src/clock.ts';
import { createCollectorSink, openAuditTrail, verifyTrail } from '../src/index.ts';
import { Collector } from './collector.ts';
import { intent, options, storedEvents, temporaryDirectory } from './fixtures.ts';
import { eventsOn, type MemoryDisk } from './memory-disk.ts';
import { startWriter } from './writer-process.ts';

/** What came out of a number of kills. Everything but the first three must be empty or 0. */
export interface ChaosResult {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly repeatedDeliveries: number;
  readonly lostOnDisk: readonly string[];
  readonly lostAtCollector: readonly string[];
  readonly duplicatesOnDisk: number;
  readonly gapsInSequence: number;
  readonly isOrderKept: boolean;
  /** Intents that have no outcome, or more than one. */
  readonly intentsWithoutOneOutcome: number;
  readonly findings: readonly string[];
}

// A writer that acknowledges nothing, or a trail that delivers nothing, for so long has hung.
const HANG_MS = 60_000;

/**
 * Kills a process that writes to one trail, again and again, while the collector flaps. Keeps all events in memory.
 * @throws {TimeoutError} when a writer or the delivery stands still
 */
export async function runChaos(
  rounds: number,
  onRound: (round: number, acknowledged: number) => void = () => {},
): Promise<ChaosResult> {
  await using directory = await temporaryDirectory();
  await using collector = await Collector.start();
  collector.mode = 'flapping';
  const acknowledged: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const writer = await startWriter(directory.path, collector.url);
    try {
      await writer.acknowledged(1 + Math.floor(Math.random() * 250), AbortSignal.timeout(HANG_MS));
    } finally {
      await writer.kill();
    }
    acknowledged.push(...writer.ids);
    onRound(round, acknowledged.length);
  }
  collector.mode = 'accept';
  {
    const sinks = [createCollectorSink({ url: collector.url })];
    // With timers that fire: an attempt that fails has to be repeated.
    const settings = { ...options(directory.path), sinks, setTimer: systemTimer };
    await using trail = await openAuditTrail(settings);
    await trail.flush({ signal: AbortSignal.timeout(HANG_MS) });
  }

  const stored = await storedEvents(directory.path);
  const ids = stored.map((event) => event.id);
  const onDisk = new Set(ids);
  const atCollector = new Set(collector.stored.map((event) => event.id));
  const outcomes = new Map<string, number>();
  for (const event of stored) {
    if (event.stage === 'outcome') {
      outcomes.set(event.intentId, (outcomes.get(event.intentId) ?? 0) + 1);
    }
  }
  const intents = stored.filter((event) => event.stage === 'intent');
  const { findings } = await verifyTrail({ directory: directory.path });
  return {
    rounds,
    acknowledged: acknowledged.length,
    repeatedDeliveries: collector.accepted.length - collector.stored.length,
    lostOnDisk: acknowledged.filter((id) => !onDisk.has(id)),
    lostAtCollector: ids.filter((id) => !atCollector.has(id)),
    duplicatesOnDisk: ids.length - onDisk.size,
    gapsInSequence: stored.filter((event, index) => event.sequence !== index + 1).length,
    isOrderKept: collector.stored.every((event, index) => event.id === ids[index]),
    intentsWithoutOneOutcome: intents.filter(({ id }) => outcomes.get(id) !== 1).length,
    findings: findings.map(({ code, segment }) => `${code} in segment ${segment}`),
  };
}

/** Cuts the power of a disk at a random moment, again and again; what was acknowledged then, and what is not there. */
export async function runPowerLoss(
  crashes: number,
  first: MemoryDisk,
): Promise<{ acknowledged: number; lost: number; findings: readonly string[] }> {
  await using directory = await temporaryDirectory();
  const acknowledged: string[] = [];
  // Not one from the disk: a disk that never syncs would lose that first.
  const { privateKey: signingKey } = generateKeyPairSync('ed25519');
  let disk = first;
  for (let crash = 0; crash < crashes; crash += 1) {
    const settings = { ...options(directory.path), fileSystem: disk, signingKey, segmentBytes: 20_000 };
    const trail = await openAuditTrail(settings);
    const power = { isOn: true };
    const call = async (): Promise<void> => {
      while (power.isOn) {
        const entry = await trail.begin(intent());
        if (power.isOn) {
          acknowledged.push(entry.id);
        }
        await entry.finish({ result: 'success', durationMs: 1 });
      }
    };
    const calls = Array.from({ length: 8 }, call);
    const steps = Math.floor(Math.random() * 100);
    for (let step = 0; step < steps; step += 1) {
      await new Promise<void>((resolve) => (step % 2 ? queueMicrotask(resolve) : process.nextTick(resolve)));
    }
    power.isOn = false;
    disk = disk.afterPowerLoss(Math.random);
    await Promise.all(calls);
    await trail.close();
  }
  const settings = { ...options(directory.path), fileSystem: disk, signingKey };
  await (await openAuditTrail(settings)).close();
  const stored = new Set(eventsOn(disk, directory.path).map(({ id }) => id));
  const { findings } = await verifyTrail({ directory: directory.path, fileSystem: disk });
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((id) => !stored.has(id)).length,
    findings: findings.map(({ code, segment }) => `${code} in segment ${segment}`),
  };
}
