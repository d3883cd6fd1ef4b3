/** A clock that stands still until a test moves it. */
export interface TestClock {
  /** Milliseconds since the Unix epoch; give it where an option is called `now`. */
  readonly now: () => number;
  /** Moves time on. @throws {RangeError} for what is not 0 or more milliseconds */
  readonly advance: (byMs: number) => void;
}

/**
 * Creates a clock for what reads the time and waits for nothing. For a client with retries and time-outs there is
 * `createTestClock` of `@mcp-parts/resilient-client/testing`, which runs its timers.
 *
 * @param startAt Milliseconds since the Unix epoch. @default 2030-01-01T00:00:00Z
 */
export function testClock(startAt: number = Date.UTC(2030, 0, 1)): TestClock {
  let at = startAt;
  return {
    now: () => at,
    advance(byMs) {
      if (!Number.isFinite(byMs) || byMs < 0) {
        throw new RangeError(`byMs must be 0 or more milliseconds, got ${byMs}`);
      }
      at += byMs;
    },
  };
}
