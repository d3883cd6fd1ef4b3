import assert from 'node:assert/strict';

import type { RateLimiter } from '../ports.ts';

/** What the contract needs to know of a rate limiter under test. */
export interface RateLimiterFixture {
  readonly limiter: RateLimiter;
  /** Another one over the same counts, as a second replica has it. @default the same one */
  readonly replica?: RateLimiter | undefined;
  /** Lets so much time pass, in milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** One promise of the port; `run` rejects when it is broken. */
export interface RateLimiterCase {
  readonly name: string;
  /** Whether it waits for a minute to pass: leave it out where time cannot be advanced. */
  readonly isSlow: boolean;
  readonly run: (fixture: RateLimiterFixture) => Promise<void>;
}

const MINUTE_MS = 60_000;
const LEASE_MS = 200;

/** What `consume` of every `RateLimiter` promises. Run each case as a test, with a new fixture for each. */
export const rateLimiterContract: readonly RateLimiterCase[] = [
  {
    name: 'lets as many requests pass as a minute has, and then says when to try again',
    isSlow: false,
    async run({ limiter, replica = limiter }) {
      assert.equal(await passes(limiter, 'a', 3), true);
      assert.equal(await passes(replica, 'a', 3), true);
      assert.equal(await passes(limiter, 'a', 3), true);
      const refused = await replica.consume('a', { perMinute: 3, weight: 1 });
      assert.ok(!refused.allowed, 'the fourth of three is refused');
      const { retryAfterMs } = refused;
      assert.ok(retryAfterMs > 0 && retryAfterMs <= MINUTE_MS, `waits up to a minute, not ${retryAfterMs}`);
    },
  },
  {
    name: 'lets no more of many pass that come at once',
    isSlow: false,
    async run({ limiter, replica = limiter }) {
      const answers = await Promise.all(
        Array.from({ length: 60 }, async (_, index) => passes(index % 2 === 0 ? limiter : replica, 'a', 20)),
      );
      assert.equal(answers.filter(Boolean).length, 20);
    },
  },
  {
    name: 'counts a heavy request as often as it weighs, and a refused one not at all',
    isSlow: false,
    async run({ limiter }) {
      assert.equal(await passes(limiter, 'a', 10, 6), true);
      assert.equal(await passes(limiter, 'a', 10, 5), false);
      assert.equal(await passes(limiter, 'a', 10, 10), false);
      assert.equal(await passes(limiter, 'a', 10, 4), true);
      assert.equal(await passes(limiter, 'a', 10, 1), false);
    },
  },
  {
    name: 'lets requests pass again when it said so',
    isSlow: true,
    async run({ limiter, wait }) {
      assert.equal(await passes(limiter, 'a', 2, 2), true);
      const refused = await limiter.consume('a', { perMinute: 2, weight: 1 });
      assert.ok(!refused.allowed);
      await wait(refused.retryAfterMs);
      assert.equal(await passes(limiter, 'a', 2), true);
    },
  },
  {
    name: 'tells keys apart, whatever they look like',
    isSlow: false,
    async run({ limiter }) {
      for (const key of KEYS) {
        assert.equal(await passes(limiter, key, 1), true, `${JSON.stringify(key.slice(0, 40))} is new`);
      }
      for (const key of KEYS) {
        assert.equal(await passes(limiter, key, 1), false, `${JSON.stringify(key.slice(0, 40))} is known`);
      }
    },
  },
];

/** What `enter` of every `RateLimiter` that has one promises, in the same way. */
export const placesContract: readonly RateLimiterCase[] = [
  {
    name: 'has as many places as it was told, and gives one out again that was given back',
    isSlow: false,
    async run({ limiter, replica = limiter }) {
      const first = await enter(limiter, 'a', MINUTE_MS);
      assert.ok(await enter(replica, 'a', MINUTE_MS));
      assert.equal(await enter(limiter, 'a', MINUTE_MS), undefined);
      assert.ok(await enter(limiter, 'b', MINUTE_MS), 'another key has places of its own');
      first?.leave();
      first?.leave();
      assert.ok(await entersSoon(replica, 'a'));
      assert.equal(await enter(limiter, 'a', MINUTE_MS), undefined, 'a place given back twice is one place');
    },
  },
  {
    name: 'gives out no more places to many that come at once',
    isSlow: false,
    async run({ limiter, replica = limiter }) {
      const places = await Promise.all(
        Array.from({ length: 20 }, async (_, index) =>
          enter(index % 2 === 0 ? limiter : replica, 'a', MINUTE_MS),
        ),
      );
      assert.equal(places.filter((place) => place !== undefined).length, 2);
    },
  },
  {
    name: 'frees a place that nobody gives back, and not one that somebody else took since',
    isSlow: false,
    async run({ limiter, wait }) {
      const lost = await enter(limiter, 'a', LEASE_MS);
      assert.ok(lost);
      assert.ok(await enter(limiter, 'a', MINUTE_MS));
      assert.equal(await enter(limiter, 'a', MINUTE_MS), undefined);
      await wait(LEASE_MS + 1);
      assert.ok(await enter(limiter, 'a', MINUTE_MS));
      lost.leave();
      assert.equal(await enter(limiter, 'a', MINUTE_MS), undefined);
    },
  },
  {
    name: 'gives a holder one place, in all processes, and keeps it when it is taken again',
    isSlow: false,
    async run({ limiter, replica = limiter, wait }) {
      const first = await enter(limiter, 'a', LEASE_MS, 'run');
      assert.ok(first);
      assert.notEqual(first.wasHeld, true);
      assert.ok(await enter(limiter, 'a', MINUTE_MS));
      assert.equal(await enter(replica, 'a', MINUTE_MS, 'other run'), undefined);
      const again = await enter(replica, 'a', MINUTE_MS, 'run');
      assert.ok(again, 'where all are taken, who has one may take it again');
      assert.equal(again.wasHeld, true, 'and is told so');
      await wait(LEASE_MS + 1);
      assert.equal(await enter(limiter, 'a', MINUTE_MS), undefined, 'it is kept as long as was said last');
      again.leave();
      assert.ok(await entersSoon(limiter, 'a'), 'whoever took it, it is given back');
    },
  },
  {
    name: 'counts requests and places apart',
    isSlow: false,
    async run({ limiter }) {
      assert.ok(await enter(limiter, 'a', MINUTE_MS));
      assert.ok(await enter(limiter, 'a', MINUTE_MS));
      assert.equal(await passes(limiter, 'a', 1), true);
    },
  },
];

const KEYS = [
  'caller:a',
  'caller:A',
  'caller:a ',
  'tool:a:caller',
  'caller:https://issuer.test#a:b{c}*\r\nDEL x',
  'caller:ä',
  `caller:${'x'.repeat(4_000)}1`,
  `caller:${'x'.repeat(4_000)}2`,
];

async function passes(limiter: RateLimiter, key: string, perMinute: number, weight = 1): Promise<boolean> {
  return (await limiter.consume(key, { perMinute, weight })).allowed;
}

/** Of two places. */
async function enter(limiter: RateLimiter, key: string, leaseMs: number, holder?: string) {
  assert.ok(limiter.enter, 'the limiter counts places');
  return limiter.enter(key, { max: 2, leaseMs, holder });
}

/** Nobody waits for a place that is given back, so it may be on its way. */
async function entersSoon(limiter: RateLimiter, key: string) {
  const until = Date.now() + 5_000;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- It asks until there is one.
    const place = await enter(limiter, key, MINUTE_MS);
    if (place !== undefined || Date.now() > until) {
      return place;
    }
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setImmediate(resolve));
  }
}
