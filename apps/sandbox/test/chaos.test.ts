import { expect, it } from 'vitest';

import { runChaos } from './chaos.ts';

// `pnpm chaos:client` runs the same for a minute.
it('loses nothing, doubles nothing and leaves nothing while the platform fails in every way', async () => {
  const report = await runChaos({ callers: 16, rounds: 6, callsPerRound: 40 });

  expect(report.unhandledRejections).toEqual([]);
  expect(report.writtenTwice).toEqual([]);
  expect(report.repeatedWithoutKey).toEqual([]);
  expect(report.timersLeft).toBe(0);
  expect(report.socketsLeft).toBe(0);
  // Also while the platform is down.
  for (const { calls, attempts } of [...report.whileDown, report]) {
    expect(attempts).toBeLessThanOrEqual(1.2 * calls + 10);
  }
  // It did meet what it was meant to meet.
  expect(report.whileDown).toHaveLength(1);
  expect(report.writes).toBeGreaterThan(0);
  expect(report.repeatedWithKey).toBeGreaterThan(0);
  expect(Object.keys(report.outcomes)).toEqual(
    expect.arrayContaining(['ok', 'network', 'timeout', 'server_error', 'invalid_response', 'circuit_open']),
  );
}, 60_000);
