import { describe, expect, it } from 'vitest';

import { createDeploymentTools } from '../src/index.ts';
import { startPlatform } from './fake-platform.ts';

describe('an option that is no sensible number', () => {
  it.each([Number.NaN, -1, 0, 0.5, Infinity, 60_001, 2 ** 31, '5'])(
    'such as pollIntervalMs: %s is refused by name',
    async (pollIntervalMs) => {
      await using platform = await startPlatform();
      const options: object = { pollIntervalMs };
      const create = () => createDeploymentTools({ ...platform.clients, ...options });
      expect(create).toThrow(RangeError);
      expect(create).toThrow(
        `pollIntervalMs must be a whole number from 1 to 60000, got ${String(pollIntervalMs)}`,
      );
    },
  );
});
