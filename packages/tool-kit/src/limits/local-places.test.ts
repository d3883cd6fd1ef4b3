import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { placesContract } from '../testing.ts';
import { createLocalPlaces } from './local-places.ts';

describe('places in this process', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it.each(placesContract)('$name', async ({ run }) => {
    const limiter = {
      ...createLocalPlaces(),
      consume: () => ({ allowed: true }) as const,
    };
    await run({ limiter, wait: async (ms) => void vi.advanceTimersByTime(ms) });
    expect.assertions(0);
  });
});
