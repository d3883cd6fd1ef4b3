import { equal, ok, rejects } from 'node:assert/strict';

import type { ReplayStore } from '../possession/replay-store.ts';

/** What the contract needs to know of a store under test. */
export interface ReplayStoreFixture {
  readonly store: ReplayStore;
  /** Another one over the same memory, as a second replica has it. @default the same store */
  readonly replica?: ReplayStore | undefined;
  /** Lets so much time pass, in milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** One promise of the port; `run` rejects when it is broken. */
export interface ReplayStoreCase {
  readonly name: string;
  readonly run: (fixture: ReplayStoreFixture) => Promise<void>;
}

const TTL_MS = 60_000;
const owner = 'https://idp.example.test#jo';

/** What every {@link ReplayStore} promises. Run each case as a test, with a new fixture for each. */
export const replayStoreContract: readonly ReplayStoreCase[] = [
  {
    name: 'lets an id pass once',
    async run({ store, replica = store }) {
      equal(await store.claim('a', { ttlMs: TTL_MS, owner }), true);
      equal(await store.claim('a', { ttlMs: TTL_MS, owner }), false);
      equal(await replica.claim('a', { ttlMs: TTL_MS, owner }), false);
    },
  },
  {
    name: 'lets one of many pass who come at once',
    async run({ store, replica = store }) {
      const claims = Array.from({ length: 40 }, async (_, index) =>
        (index % 2 === 0 ? store : replica).claim('a', { ttlMs: TTL_MS, owner }),
      );
      const passed = (await Promise.all(claims)).filter(Boolean);
      equal(passed.length, 1);
    },
  },
  {
    name: 'tells ids apart, whatever they look like',
    async run({ store }) {
      for (const id of ['a', 'A', 'a ', 'a\r\nDEL a', 'a:b', '*', 'ä']) {
        ok(await store.claim(id, { ttlMs: TTL_MS, owner }), `the id ${JSON.stringify(id)} is new`);
      }
    },
  },
  {
    name: 'does not let an id pass a second time for another owner',
    async run({ store }) {
      ok(await store.claim('a', { ttlMs: TTL_MS, owner }));
      equal(await store.claim('a', { ttlMs: TTL_MS, owner: 'https://idp.example.test#kim' }), false);
    },
  },
  {
    name: 'lets an id pass again when its time is over, and not before',
    async run({ store, wait }) {
      ok(await store.claim('long', { ttlMs: TTL_MS, owner }));
      ok(await store.claim('short', { ttlMs: 50, owner }));
      equal(await store.claim('short', { ttlMs: 50, owner }), false);
      await wait(50);
      ok(await store.claim('short', { ttlMs: 50, owner }));
      equal(await store.claim('long', { ttlMs: TTL_MS, owner }), false);
    },
  },
];

/** For a store that cannot be reached, or is full. */
export const unavailableReplayStoreCase: ReplayStoreCase = {
  name: 'rejects when it cannot tell, and lets nothing pass',
  async run({ store }) {
    await rejects(async () => store.claim('a', { ttlMs: TTL_MS, owner }));
  },
};
