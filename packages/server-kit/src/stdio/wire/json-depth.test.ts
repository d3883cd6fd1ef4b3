import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isDeeperThan } from './json-depth.ts';

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;
}

describe('isDeeperThan', () => {
  it('agrees with the parsed value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(10), (value, maxDepth) => {
        expect(isDeeperThan(JSON.stringify(value), maxDepth)).toBe(depthOf(value) > maxDepth);
      }),
    );
  });

  it('does not count what stands in a string', () => {
    expect(isDeeperThan(JSON.stringify(['[[[[', '\\"[[[[', '{"a":[[[[']), 1)).toBe(false);
  });
});
