import { deepEqual, equal } from 'node:assert/strict';

import type { ApprovalStore } from '../ports.ts';

/** What the contract needs to know of a store under test. */
export interface ApprovalStoreFixture {
  readonly store: ApprovalStore;
  /** Another one over the same values, as a second replica has it. @default the same one */
  readonly replica?: ApprovalStore | undefined;
  /** Lets so much time pass, in milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** One promise of the port; `run` rejects when it is broken. */
export interface ApprovalStoreCase {
  readonly name: string;
  readonly run: (fixture: ApprovalStoreFixture) => Promise<void>;
}

const LONG = { ttlMs: 60_000 };
const SHORT = { ttlMs: 200 };

/** What every `ApprovalStore` promises. Run each case as a test, with a new fixture for each. */
export const approvalStoreContract: readonly ApprovalStoreCase[] = [
  {
    name: 'keeps one value of all that come at once, and gives that one to all',
    async run({ store, replica = store }) {
      const kept = await Promise.all(
        [store, replica, store, replica].map(async (one, number) => one.keep('a', { number }, LONG)),
      );
      const [first = {}] = kept;
      deepEqual(kept, [first, first, first, first]);
      deepEqual(await replica.get('a'), first);
      deepEqual(await store.keep('b', { text: 'ä' }, LONG), { text: 'ä' });
    },
  },
  {
    name: 'knows nothing that it was not given, or has forgotten',
    async run({ store, replica = store }) {
      equal(await store.get('a'), undefined);
      await store.keep('a', { number: 1 }, LONG);
      await replica.forget('a');
      await replica.forget('b');
      equal(await store.get('a'), undefined);
      deepEqual(await store.keep('a', { number: 2 }, LONG), { number: 2 });
    },
  },
  {
    name: 'forgets a value when its time is over, which no later one prolongs',
    async run({ store, replica = store, wait }) {
      await store.keep('a', { number: 1 }, SHORT);
      await replica.keep('a', { number: 2 }, LONG);
      await wait(SHORT.ttlMs + 1);
      equal(await replica.get('a'), undefined);
      deepEqual(await replica.keep('a', { number: 3 }, LONG), { number: 3 });
    },
  },
  {
    name: 'lists what was kept in a list and is still there, the newest first',
    async run({ store, replica = store, wait }) {
      await store.keep('short', { number: 0 }, { ...SHORT, list: 'one' });
      await store.keep('a', { number: 1 }, { ...LONG, list: 'one' });
      await replica.keep('b', { number: 2 }, { ...LONG, list: 'one' });
      await store.keep('a', { number: 3 }, { ...LONG, list: 'one' });
      await store.keep('c', { number: 4 }, { ...LONG, list: 'two' });
      await store.keep('d', { number: 5 }, LONG);
      await store.keep('e', { number: 6 }, { ...LONG, list: 'one' });
      await replica.forget('e');
      await wait(SHORT.ttlMs + 1);
      deepEqual(await store.listed('one', 10), [{ number: 2 }, { number: 1 }]);
      deepEqual(await replica.listed('two', 10), [{ number: 4 }]);
      deepEqual(await replica.listed('three', 10), []);
      await store.keep('f', { number: 7 }, { ...LONG, list: 'one' });
      deepEqual(await replica.listed('one', 2), [{ number: 7 }, { number: 2 }]);
    },
  },
];
