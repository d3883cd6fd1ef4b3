import { describe, expect, it } from 'vitest';

import { openTaskEngine } from '../src/index.ts';

const nonsense = [Number.NaN, -1, 0.5, Infinity, '5'];
const open = (options: object) => openTaskEngine({ store: ':memory:', ...options });

describe('an option that is no sensible number', () => {
  it.each(
    ['concurrency', 'ttlMs', 'maxQueuedMs', 'maxRunningPerOwner', 'maxQueuedPerOwner'].flatMap((name) =>
      [...nonsense, 0, 2 ** 53].map((value) => ({ name, value })),
    ),
  )('such as $name: $value is refused by name', async ({ name, value }) => {
    const refused = open({ [name]: value });
    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.toThrow(
      new RegExp(`^${name} must be a whole number from 1 to \\d+, got ${String(value)}$`, 'u'),
    );
  });

  it('such as concurrency: 2147483648 is refused', async () => {
    await expect(open({ concurrency: 2 ** 31 })).rejects.toThrow(
      'concurrency must be a whole number from 1 to 10000, got 2147483648',
    );
  });

  it.each([...nonsense, 2 ** 31])(
    'such as deadlineMs: %s is refused, and nothing is closed',
    async (deadlineMs) => {
      await using engine = await open({});
      const options: object = { deadlineMs };
      await expect(engine.close(options)).rejects.toThrow(
        `deadlineMs must be a whole number from 0 to 2147483647, got ${String(deadlineMs)}`,
      );
      await expect(engine.get('id', 'alice')).resolves.toBeUndefined();
    },
  );

  it.each([undefined, 5, ''])('and a store that is none is refused: %s', async (store) => {
    await expect(open({ store: store as never })).rejects.toThrow(
      `store must be a path or a task store, got ${JSON.stringify(store)}`,
    );
  });
});
