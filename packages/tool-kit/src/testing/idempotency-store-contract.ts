import { deepEqual, equal } from 'node:assert/strict';

import type { IdempotencyStore, RepeatableCall } from '../ports.ts';

/** What the contract needs to know of a store under test. */
export interface IdempotencyStoreFixture {
  readonly store: IdempotencyStore;
  /** Another one over the same calls, as a second replica has it. @default the same one */
  readonly replica?: IdempotencyStore | undefined;
  /** Lets so much time pass, in milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** One promise of the port; `run` rejects when it is broken. */
export interface IdempotencyStoreCase {
  readonly name: string;
  readonly run: (fixture: IdempotencyStoreFixture) => Promise<void>;
}

const LONG = { ttlMs: 60_000, leaseMs: 60_000 };
const SHORT = { ttlMs: 200, leaseMs: 200 };
const running: RepeatableCall = { state: 'running', fingerprint: 'f', upstreamKey: 'u', holder: 'h' };
const other: RepeatableCall = { ...running, holder: 'another' };
const done: RepeatableCall = {
  ...running,
  state: 'done',
  result: { content: [{ type: 'text', text: 'ä' }] },
};

/** What every `IdempotencyStore` promises. Run each case as a test, with a new fixture for each. */
export const idempotencyStoreContract: readonly IdempotencyStoreCase[] = [
  {
    name: 'gives a key to one call of all that want it at once, and tells the others of that',
    async run({ store, replica = store }) {
      const known = await Promise.all(
        [store, replica, store, replica].map(async (one, index) =>
          one.claim('a', { ...running, upstreamKey: String(index) }, LONG),
        ),
      );
      equal(known.filter((call) => call === undefined).length, 1);
      const upstreamKey = String(known.indexOf(undefined));
      deepEqual(known.find(Boolean), { ...running, upstreamKey });
      equal(await store.claim('b', running, LONG), undefined);
    },
  },
  {
    name: 'keeps what became of a call',
    async run({ store, replica = store }) {
      await store.claim('a', running, LONG);
      await store.keep('a', done, LONG);
      deepEqual(await replica.claim('a', running, LONG), done);
    },
  },
  {
    name: 'gives a key again that was released',
    async run({ store, replica = store }) {
      await store.claim('a', running, LONG);
      await store.release('a', running);
      equal(await replica.claim('a', running, LONG), undefined);
    },
  },
  {
    name: 'forgets a call when its time is over',
    async run({ store, replica = store, wait }) {
      await store.claim('a', running, LONG);
      await store.keep('a', done, SHORT);
      await wait(SHORT.ttlMs + 1);
      equal(await replica.claim('a', running, LONG), undefined);
    },
  },
  {
    name: 'says of a call that was not renewed within its lease that nobody knows what became of it',
    async run({ store, replica = store, wait }) {
      await store.claim('a', running, { ...LONG, leaseMs: SHORT.leaseMs });
      await wait(SHORT.leaseMs + 1);
      deepEqual(await replica.claim('a', other, LONG), { ...running, state: 'unknown' });
      await store.keep('a', done, LONG);
      deepEqual(await replica.claim('a', other, LONG), done);
    },
  },
  {
    name: 'keeps the key of a call that is renewed, longer than its time',
    async run({ store, replica = store, wait }) {
      await store.claim('a', running, SHORT);
      await store.renew('a', running, LONG);
      await wait(SHORT.ttlMs + 1);
      deepEqual(await replica.claim('a', other, LONG), running);
    },
  },
  {
    name: 'hears nothing of a key from a call that has lost it',
    async run({ store, replica = store, wait }) {
      await store.claim('a', running, SHORT);
      await wait(SHORT.ttlMs + 1);
      equal(await replica.claim('a', other, LONG), undefined);
      await store.renew('a', running, SHORT);
      await store.keep('a', done, LONG);
      await store.release('a', running);
      deepEqual(await replica.claim('a', running, LONG), other);
    },
  },
];
