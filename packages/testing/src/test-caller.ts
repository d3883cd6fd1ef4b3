import type { Caller } from '@mcp-parts/tool-kit';

/** A person without groups or permissions; give what your test needs. */
export function testCaller(overrides: Partial<Caller> = {}): Caller {
  return {
    id: 'https://issuer.test#ada',
    kind: 'user',
    displayName: 'Ada',
    groups: [],
    permissions: [],
    ...overrides,
  };
}
