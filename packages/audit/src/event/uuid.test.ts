import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';

import { uuidv7 } from './uuid.ts';

const MAX_TIME = 2 ** 48 - 1;

it('holds its time in a UUID of version 7, so that ids sort as their times do', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_TIME }), fc.integer({ min: 0, max: MAX_TIME }), (a, b) => {
      const [first, second] = [uuidv7(a), uuidv7(b)];
      expect(z.uuid({ version: 'v7' }).safeParse(first).success).toBe(true);
      expect(Number.parseInt(first.replace('-', '').slice(0, 12), 16)).toBe(a);
      expect(a === b || a < b === first < second).toBe(true);
    }),
  );
});
