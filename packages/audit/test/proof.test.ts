import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  openAuditTrail,
  verifyTrail,
  type AuditCheckpoint,
  type AuditEvent,
  type AuditSink,
  type AuditTrailOptions,
} from '../src/index.ts';
import { silentLogger } from '../src/logger.ts';
import { intent, options, segmentFiles, storedEvents, temporaryDirectory } from './fixtures.ts';
import { forge, type Forgery } from './forger.ts';
import { manualTimers } from './manual-timers.ts';

const success = { result: 'success', durationMs: 12 } as const;
const mallory = { id: 'https://issuer.test#mallory', kind: 'user', groups: [] } as const;
const hideMallory = (payload: string): string => payload.replaceAll('mallory', 'alice');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

async function writeCalls(settings: AuditTrailOptions, count: number): Promise<void> {
  await using trail = await openAuditTrail(settings);
  for (let index = 0; index < count; index += 1) {
    await (await trail.begin(intent({ actor: mallory }))).finish(success);
  }
}

function memorySink(): AuditSink & { events: AuditEvent[]; checkpoints: AuditCheckpoint[] } {
  const events: AuditEvent[] = [];
  const checkpoints: AuditCheckpoint[] = [];
  return {
    name: 'memory',
    takesCheckpoints: true,
    events,
    checkpoints,
    async deliver(delivered, given) {
      events.push(...delivered);
      checkpoints.push(...(given.checkpoints ?? []));
    },
  };
}

async function codes(directory: string, given: object = {}): Promise<string[]> {
  const { findings } = await verifyTrail({ directory, publicKey, ...given });
  return findings.map(({ code }) => code);
}

/** Writes six events, signed after every fourth and at the end, and rewrites them. */
async function forged(
  directory: string,
  forgery: Forgery,
  given: Partial<AuditTrailOptions> = {},
): Promise<void> {
  const settings = { ...options(directory), signingKey: privateKey, checkpointEvents: 4, ...given };
  await writeCalls(settings, 3);
  const [path = ''] = await segmentFiles(directory);
  await forge(path, { change: hideMallory, ...forgery });
}

describe('verify, with a key', () => {
  const rewritten: readonly [name: string, forgery: Forgery][] = [
    ['without any signature', { dropsOrigin: true }],
    ['with the signature of its beginning only', {}],
    [
      'whose beginning was signed for another chain',
      { change: (text) => hideMallory(text).replace('"segment":1', '"segment":2') },
    ],
    ['with a signature from before', { keepsCheckpoint: (sequence) => sequence === 4, change: hideMallory }],
  ];

  it.each(rewritten)('does not believe a trail that was rebuilt %s', async (_name, forgery) => {
    await using directory = await temporaryDirectory();
    await forged(directory.path, forgery);
    expect(await codes(directory.path)).not.toEqual([]);
    expect(await readFile((await segmentFiles(directory.path))[0] ?? '', 'utf8')).not.toContain('mallory');
  });

  it('misses the signature of the last events once it is overdue, and not before', async () => {
    await using directory = await temporaryDirectory();
    const startedAt = Date.now();
    await forged(directory.path, { change: (text) => text, keepsCheckpoint: (sequence) => sequence === 4 });
    expect(await codes(directory.path)).toEqual([]);
    expect(await codes(directory.path, { seenAt: startedAt + 50_000 })).toEqual([]);
    expect(await codes(directory.path, { seenAt: startedAt + 80_000 })).toEqual(['unsigned']);
  });

  it('finds nothing wrong with a trail that is being written to', async () => {
    await using directory = await temporaryDirectory();
    const settings = { ...options(directory.path), signingKey: privateKey, checkpointEvents: 10 };
    await using trail = await openAuditTrail(settings);
    for (let call = 0; call < 12; call += 1) {
      await Promise.all(Array.from({ length: 7 }, () => trail.begin(intent())));
      const { unsignedEvents, findings } = await verifyTrail({ directory: directory.path, publicKey });
      expect([unsignedEvents <= 10, findings]).toEqual([true, []]);
    }
  });

  it('goes by the interval that the server signed, not by one that was written in later', async () => {
    await using directory = await temporaryDirectory();
    const lenient = (text: string): string => text.replace('"checkpointEvents":4', '"checkpointEvents":9999');
    await forged(directory.path, { change: lenient });
    expect(await codes(directory.path)).toContain('bad_signature');
  });

  it('finds no trail in a directory that is empty or gone', async () => {
    await using directory = await temporaryDirectory();
    expect(await codes(directory.path)).toEqual(['missing_trail']);
    expect(await codes(join(directory.path, 'gone'))).toEqual(['missing_trail']);
  });

  it('misses a beginning that was cut off, although what is left was linked again', async () => {
    await using directory = await temporaryDirectory();
    await forged(directory.path, { change: (text) => text, from: 3 });
    expect(await codes(directory.path)).toContain('missing_segments');
  });

  it('misses the last segment by a cursor that lies beside it, and by an anchor without one', async () => {
    await using directory = await temporaryDirectory();
    const sink = memorySink();
    const settings = { ...options(directory.path), signingKey: privateKey, sinks: [sink] };
    await writeCalls(settings, 1);
    await writeCalls(settings, 1);
    await rm((await segmentFiles(directory.path)).at(-1) ?? '');
    expect(await codes(directory.path)).toEqual(['not_delivered']);
    await rm(join(directory.path, 'cursor-memory.json'));
    const [first, last] = sink.checkpoints;
    expect(await codes(directory.path, { anchor: first })).toEqual([]);
    expect(await codes(directory.path, { anchor: last })).toEqual(['missing_end']);
  });

  it('believes an anchor only when it was signed, and is of this trail', async () => {
    await using directory = await temporaryDirectory();
    const sink = memorySink();
    await writeCalls({ ...options(directory.path), signingKey: privateKey, sinks: [sink] }, 1);
    const [anchor] = sink.checkpoints;
    const other = { ...anchor, writerId: crypto.randomUUID() };
    expect(await codes(directory.path, { anchor: { ...anchor, signature: '' } })).toEqual(['bad_anchor']);
    expect(await codes(directory.path, { anchor: other })).toEqual(['bad_anchor']);
    expect(await codes(directory.path, { anchor: [other, anchor] })).toEqual([]);
    expect(await codes(join(directory.path, 'gone'), { anchor })).toEqual(['missing_trail', 'missing_end']);
  });
});

describe('a start', () => {
  async function reopened(directory: string, given: Partial<AuditTrailOptions> = {}) {
    const errors: object[] = [];
    const logger = { ...silentLogger, error: (fields: object) => void errors.push(fields) };
    const settings = { ...options(directory), signingKey: privateKey, checkpointEvents: 4, logger, ...given };
    const trail = await openAuditTrail(settings);
    const { state, lastError } = trail.health();
    await (await trail.begin(intent({ correlationId: 'after' }))).finish(success);
    await trail.flush();
    await trail.close();
    return { state, code: lastError?.code, errors };
  }

  const rebuilt: readonly [name: string, forgery: Forgery][] = [
    ['without any signature', { dropsOrigin: true }],
    ['with more events than may be unsigned', {}],
    ['with a signature that was made for others', { keepsCheckpoint: () => true }],
  ];

  it.each(rebuilt)('never signs a history that was rebuilt %s, and says so', async (_name, forgery) => {
    await using directory = await temporaryDirectory();
    await forged(directory.path, forgery);
    const [path = ''] = await segmentFiles(directory.path);
    const before = await readFile(path);
    const sink = memorySink();
    const { state, code, errors } = await reopened(directory.path, { sinks: [sink] });
    expect([state, code]).toEqual(['degraded', 'forged']);
    expect(errors).toMatchObject([{ action: 'audit/forged' }]);
    expect(sink.events.map(({ action }) => action)).toContain('audit/forged');
    expect(await readFile(path)).toEqual(before);
    expect(await codes(directory.path)).toEqual(expect.arrayContaining(['broken_chain']));
    // Once: what follows is a chain of its own.
    expect((await reopened(directory.path, { sinks: [sink] })).state).toBe('ok');
  });

  it('never goes on from records other than those that a sink was given', async () => {
    await using directory = await temporaryDirectory();
    const sink = memorySink();
    // Few enough to be unsigned after a crash.
    await forged(directory.path, {}, { sinks: [sink], checkpointEvents: 100 });
    const delivered = sink.events.length;
    const { code } = await reopened(directory.path, { sinks: [sink], checkpointEvents: 100 });
    expect(code).toBe('forged');
    const after = sink.events.slice(delivered);
    expect(after.map(({ sequence }) => sequence)).toEqual([7, 8, 9, 10]);
    expect(after.filter(({ actor }) => actor.id.includes('alice'))).toEqual([]);
    expect((await reopened(directory.path, { sinks: [sink] })).state).toBe('ok');
  });

  it('compares what a sink was given that is behind, in whichever segment that is', async () => {
    await using directory = await temporaryDirectory();
    const sink = memorySink();
    const settings = { ...options(directory.path), signingKey: privateKey };
    await writeCalls({ ...settings, sinks: [sink] }, 1);
    for (let run = 0; run < 4; run += 1) {
      await writeCalls(settings, 1);
    }
    expect((await reopened(directory.path, { sinks: [sink] })).state).toBe('ok');

    await writeCalls({ ...settings, sinks: [{ ...sink, name: 'other' }] }, 1);
    for (let run = 0; run < 4; run += 1) {
      await writeCalls(settings, 1);
    }
    const cursor = join(directory.path, 'cursor-other.json');
    const text = await readFile(cursor, 'utf8');
    await writeFile(cursor, text.replace(/"hash":"../u, '"hash":"00'));
    const { code } = await reopened(directory.path, { sinks: [{ ...sink, name: 'other' }] });
    expect(code).toBe('forged');
  });

  it('goes on with what a crash left unsigned', async () => {
    await using directory = await temporaryDirectory();
    await forged(directory.path, { change: (text) => text, keepsCheckpoint: (sequence) => sequence === 4 });
    expect((await reopened(directory.path)).state).toBe('ok');
    expect(await codes(directory.path)).toEqual([]);
  });
});

describe('keys that follow one another', () => {
  it('stay beside the trail, each by its id, and verify what they signed', async () => {
    await using directory = await temporaryDirectory();
    const keys: KeyObject[] = [];
    for (let rotation = 0; rotation < 3; rotation += 1) {
      const pair = generateKeyPairSync('ed25519');
      keys.push(pair.publicKey);
      await using trail = await openAuditTrail({ ...options(directory.path), signingKey: pair.privateKey });
      expect(trail.health().state).toBe('ok');
      await (await trail.begin(intent())).finish(success);
    }
    expect(await codes(directory.path, { publicKey: keys })).toEqual([]);
    expect(await codes(directory.path, { publicKey: keys.slice(1) })).toContain('bad_signature');
  });

  it('leave an event each time that one takes over', async () => {
    await using directory = await temporaryDirectory();
    const sink = memorySink();
    for (let rotation = 0; rotation < 2; rotation += 1) {
      const { privateKey: signingKey } = generateKeyPairSync('ed25519');
      await writeCalls({ ...options(directory.path), signingKey, sinks: [sink] }, 1);
    }
    const changes = sink.events.filter(({ action }) => action === 'audit/signing_key_changed');
    expect(changes).toMatchObject([{ stage: 'intent' }, { stage: 'outcome', result: 'success' }]);
  });

  it('are believed from elsewhere only, where they are given: one that was laid beside the trail is not', async () => {
    await using directory = await temporaryDirectory();
    const settings = { ...options(directory.path), signingKey: privateKey };
    const forger = generateKeyPairSync('ed25519');
    await writeCalls({ ...options(directory.path), signingKey: forger.privateKey }, 1);
    {
      await using trail = await openAuditTrail({ ...settings, verificationKeys: [] });
      expect(trail.health().lastError?.code).toBe('forged');
    }
    const earlier = generateKeyPairSync('ed25519');
    await using other = await temporaryDirectory();
    await writeCalls({ ...options(other.path), signingKey: earlier.privateKey }, 1);
    const verificationKeys = [earlier.publicKey];
    await using trail = await openAuditTrail({ ...settings, directory: other.path, verificationKeys });
    expect(trail.health().state).toBe('ok');
  });

  it('are no reason to believe a key that nobody knows', async () => {
    await using directory = await temporaryDirectory();
    await writeCalls({ ...options(directory.path), signingKey: privateKey }, 1);
    await rm(join(directory.path, 'signing-key.pub.pem'));
    const { privateKey: next } = generateKeyPairSync('ed25519');
    await using trail = await openAuditTrail({ ...options(directory.path), signingKey: next });
    expect(trail.health().lastError?.code).toBe('forged');
  });
});

describe('a signer far away', () => {
  function farSigner() {
    const waiting: (() => void)[] = [];
    const state = { isSlow: false, fails: false };
    const signer = {
      publicKey,
      async sign(bytes: Uint8Array): Promise<Uint8Array> {
        if (state.isSlow) {
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
        if (state.fails) {
          throw new Error('403 AccessDenied');
        }
        return sign(null, bytes, privateKey);
      },
    };
    return { signer, state, answer: () => waiting.splice(0).forEach((resolve) => resolve()) };
  }

  it('signs the trail, and no event waits for it', async () => {
    await using directory = await temporaryDirectory();
    const { signer, state, answer } = farSigner();
    const settings = { ...options(directory.path), signingKey: signer, checkpointEvents: 2 };
    {
      await using trail = await openAuditTrail({ ...settings, ...manualTimers() });
      const entry = await trail.begin(intent());
      state.isSlow = true;
      await entry.finish(success);
      const late = trail.begin(intent());
      // A moment's patience keeps the promise of how many events are unsigned.
      answer();
      await late;
      state.isSlow = false;
    }
    expect(await codes(directory.path)).toEqual([]);
  });

  it('that fails stops no event, is told of, and signs what is there when it is back', async () => {
    await using directory = await temporaryDirectory();
    const { signer, state } = farSigner();
    const timers = manualTimers();
    const settings = { ...options(directory.path), ...timers, signingKey: signer, checkpointEvents: 2 };
    const trail = await openAuditTrail(settings);
    await (await trail.begin(intent())).finish(success);
    state.fails = true;
    for (let call = 0; call < 5; call += 1) {
      await (await trail.begin(intent())).finish(success);
    }
    expect(trail.health()).toMatchObject({ state: 'degraded', lastError: { code: 'signing_failed' } });
    expect(await codes(directory.path)).toEqual(['unsigned']);
    state.fails = false;
    timers.fire();
    await expect.poll(() => codes(directory.path)).toEqual([]);
    expect(trail.health().state).toBe('ok');
    await trail.close();
    expect(await storedEvents(directory.path)).toHaveLength(12);
  });

  it('that fails before anything was signed lets no trail begin', async () => {
    await using directory = await temporaryDirectory();
    const { signer, state } = farSigner();
    state.fails = true;
    await using trail = await openAuditTrail({ ...options(directory.path), signingKey: signer });
    await expect(trail.begin(intent())).rejects.toMatchObject({ code: 'unavailable' });
    state.fails = false;
    await trail.begin(intent());
    expect(trail.health().state).toBe('ok');
  });
});
