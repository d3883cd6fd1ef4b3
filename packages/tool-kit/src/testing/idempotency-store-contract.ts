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

const LONG = { ttlMs: 60_000 };
const SHORT = { ttlMs: 200 };
const running: RepeatableCall = { state: 'running', fingerprint: 'f', upstreamKey: 'u' };
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
      await store.release('a');
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
];
