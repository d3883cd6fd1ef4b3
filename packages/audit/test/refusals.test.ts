import { readFile, stat } from 'node:fs/promises';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  createProtectedTrail,
  openAuditTrail,
  type AuditEvent,
  type AuditIntent,
  type AuditOutcomeEvent,
  type AuditTrail,
} from '../src/index.ts';
import { addressBlock } from '../src/refusals/address-block.ts';
import { ByteBudget } from '../src/refusals/byte-budget.ts';
import { faultyFileSystem } from './faulty-file-system.ts';
import { clock, intent, options, segmentFiles, storedEvents, temporaryDirectory } from './fixtures.ts';

const DAY_MS = 86_400_000;
const denied = { result: 'denied', reason: 'missing_token', durationMs: 1 } as const;

function stranger(sourceAddress = '203.0.113.7'): AuditIntent {
  const actor = { id: 'anonymous', kind: 'anonymous', groups: [] } as const;
  return intent({ actor, action: 'authenticate', arguments: undefined, sourceAddress });
}

function caller(id: string): AuditIntent {
  return intent({ actor: { id, kind: 'user', groups: ['platform'] } });
}

async function refuse(trail: AuditTrail, count: number, what: AuditIntent, reason?: string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await trail.refuse(what, { ...denied, ...(reason !== undefined && { reason }) });
  }
}

const outcomes = (events: readonly AuditEvent[]): AuditOutcomeEvent[] =>
  events.filter((event) => event.stage === 'outcome');

/** How many refusals the events stand for. */
const total = (events: readonly AuditEvent[]): number =>
  outcomes(events).reduce((sum, { refusals }) => sum + (refusals?.count ?? 1), 0);

async function trailBytes(directory: string): Promise<number> {
  const sizes = await Promise.all(
    (await segmentFiles(directory)).map(async (path) => (await stat(path)).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('refusals', () => {
  it('are recorded one by one while they are few, each with its intent', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail(options(directory.path));
    await refuse(trail, 10, stranger());
    const events = await storedEvents(directory.path);
    expect(events).toHaveLength(20);
    expect(outcomes(events).every(({ refusals }) => refusals === undefined)).toBe(true);
    expect(events[1]).toMatchObject({ ...denied, intentId: events[0]?.id, sourceAddress: '203.0.113.7' });
    expect(trail.health().refusals).toEqual({ recorded: 10, counted: 0, pending: 0 });
  });

  it('of a stranger are counted by address and minute once they are many, by reason and exactly', async () => {
    await using directory = await temporaryDirectory();
    const time = clock();
    await using trail = await openAuditTrail({ ...options(directory.path), ...time });
    await refuse(trail, 50, stranger());
    await refuse(trail, 20, stranger(), 'invalid_token');
    await refuse(trail, 12, stranger('198.51.100.1'));
    expect(await storedEvents(directory.path)).toHaveLength(60);
    time.advance(60_000);
    await expect.poll(() => trail.health().refusals).toEqual({ recorded: 30, counted: 52, pending: 0 });
    const sums = outcomes(await storedEvents(directory.path)).slice(30);
    expect(sums).toMatchObject([
      {
        result: 'denied',
        action: 'authenticate',
        sourceAddress: '203.0.113.7',
        refusals: { count: 40, reasons: { missing_token: 40 } },
      },
      { reason: 'invalid_token', refusals: { count: 10, reasons: { invalid_token: 10 } } },
      { sourceAddress: '198.51.100.1', refusals: { count: 2, reasons: { missing_token: 2 } } },
    ]);
    await refuse(trail, 1, stranger());
    expect(await storedEvents(directory.path)).toHaveLength(68);
  });

  it('of a caller are counted by caller, whatever is called from wherever', async () => {
    await using directory = await temporaryDirectory();
    {
      await using trail = await openAuditTrail(options(directory.path));
      for (let index = 0; index < 30; index += 1) {
        const target = `tool-${index}`;
        await trail.refuse({ ...caller('issuer#ada'), target, sourceAddress: `203.0.113.${index}` }, denied);
      }
      await refuse(trail, 1, caller('issuer#bob'));
    }
    const events = outcomes(await storedEvents(directory.path));
    expect(events.filter(({ actor }) => actor.id === 'issuer#bob')).toHaveLength(1);
    const ada = events.filter(({ actor }) => actor.id === 'issuer#ada');
    expect(ada).toHaveLength(11);
    expect(ada.at(-1)).toMatchObject({ target: 'tool-29', refusals: { count: 20 } });
  });

  it('are all in the trail when it was closed', async () => {
    await using directory = await temporaryDirectory();
    const trail = await openAuditTrail(options(directory.path));
    await refuse(trail, 1000, stranger());
    await trail.close();
    expect(total(await storedEvents(directory.path))).toBe(1000);
    await expect(trail.refuse(stranger(), denied)).rejects.toMatchObject({ code: 'closed' });
  });

  it(
    'of a flood take a bounded part of the disk, and their number stays exact',
    { timeout: 60_000 },
    async () => {
      await using directory = await temporaryDirectory();
      const time = clock();
      const refusalBytesPerDay = 256 * 1024;
      const settings = { ...options(directory.path), ...time, refusalBytesPerDay };
      let sent = 0;
      {
        await using trail = await openAuditTrail(settings);
        // Six addresses take turns, one IPv6 network changes its address each time, for a day.
        for (let minute = 0; minute < 24 * 60; minute += 20) {
          for (let index = 0; index < 200; index += 1, sent += 2) {
            await trail.refuse(stranger(`203.0.113.${index % 6}`), denied);
            await trail.refuse(stranger(`2001:db8::${index.toString(16)}`), denied);
          }
          time.advance(20 * 60_000);
          await expect.poll(() => trail.health().refusals.pending).toBeLessThan(sent);
        }
      }
      const events = await storedEvents(directory.path);
      expect(total(events)).toBe(sent);
      expect(await trailBytes(directory.path)).toBeLessThan(refusalBytesPerDay);
    },
  );

  it('of more strangers than are told apart share one count without an address', async () => {
    await using directory = await temporaryDirectory();
    {
      const refusalBytesPerDay = 64 * 1024;
      await using trail = await openAuditTrail({ ...options(directory.path), refusalBytesPerDay });
      const addresses = Array.from({ length: 1500 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
      await Promise.all(addresses.map((address) => trail.refuse(stranger(address), denied)));
      expect(trail.health().refusals).toMatchObject({ recorded: expect.toSatisfy((count) => count < 10) });
    }
    const events = await storedEvents(directory.path);
    const sum = outcomes(events).find(({ action }) => action === 'audit/refusals');
    expect(sum).toMatchObject({ target: 'strangers', transport: 'internal', actor: { id: 'audit' } });
    expect(sum).not.toHaveProperty('sourceAddress');
    expect(total(events)).toBe(1500);
  });

  it('of strangers crowd out no caller', async () => {
    await using directory = await temporaryDirectory();
    const refusalBytesPerDay = 64 * 1024;
    await using trail = await openAuditTrail({ ...options(directory.path), refusalBytesPerDay });
    for (let index = 0; index < 300; index += 1) {
      await trail.refuse(stranger(`10.0.0.${index % 250}`), denied);
    }
    await trail.refuse(caller('issuer#ada'), denied);
    expect(outcomes(await storedEvents(directory.path)).at(-1)).toMatchObject({
      actor: { id: 'issuer#ada' },
    });
  });

  it('that a full disk does not take are told when there is room again', async () => {
    await using directory = await temporaryDirectory();
    const fileSystem = faultyFileSystem();
    {
      await using trail = await openAuditTrail({ ...options(directory.path), fileSystem });
      fileSystem.failNextSync = true;
      await trail.refuse(stranger(), denied);
      await trail.refuse(stranger(), denied);
      expect(trail.health().refusals).toMatchObject({ recorded: 1, pending: 1 });
    }
    expect(total(await storedEvents(directory.path))).toBe(2);
  });

  it('pass through a protected trail without a name', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail(options(directory.path));
    await createProtectedTrail(trail, {}).refuse(intent(), denied);
    const [path = ''] = await segmentFiles(directory.path);
    expect(await readFile(path, 'utf8')).not.toContain('dev@issuer.test');
    expect(await storedEvents(directory.path)).toMatchObject([{ stage: 'intent' }, denied]);
  });
});

describe('a byte budget', () => {
  it('gives out no more than its share in any day, whatever the clock does', () => {
    const steps = fc.array(
      fc.record({ bytes: fc.nat(5000), ms: fc.integer({ min: -1000, max: 3_600_000 }) }),
      {
        maxLength: 500,
      },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const budget = new ByteBudget(100_000, 0);
        let now = 0;
        let latest = 0;
        let taken = 0;
        for (const { bytes, ms } of list) {
          now = Math.max(0, now + ms);
          latest = Math.max(latest, now);
          if (latest > DAY_MS) {
            break;
          }
          taken += budget.take(bytes, latest) ? bytes : 0;
        }
        expect(taken).toBeLessThanOrEqual(100_000);
      }),
    );
  });
});

describe('an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
    ['', ''],
  ])('%s counts as %s', (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });
});
