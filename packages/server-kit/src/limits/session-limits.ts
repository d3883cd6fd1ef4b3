import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';

/** How many sessions of the 2025 era are kept in memory, and for how long. An id outlives its place in memory. */
export interface SessionLimits {
  /**
   * Sessions in memory, from 1 to 1_000_000. When there are more, the one that nobody has used for longest, of the
   * caller who has most, goes to sleep until its client comes back. @default 1_000
   */
  readonly maxSessions?: number | undefined;
  /** Sessions of one caller in memory, from 1 to 1_000_000. @default 100 */
  readonly maxSessionsPerCaller?: number | undefined;
  /** How long an idle session stays in memory, in milliseconds; from 1 to 2_147_483_647. @default 1_800_000 */
  readonly sessionIdleMs?: number | undefined;
}

/** The limits with every default filled in. */
export type ResolvedSessionLimits = { readonly [Name in keyof SessionLimits]-?: number };

/** @throws {RangeError} naming the option that is out of its range. */
export function resolveSessionLimits(limits: SessionLimits): ResolvedSessionLimits {
  const { maxSessions = 1_000, maxSessionsPerCaller = 100, sessionIdleMs = 1_800_000 } = limits;
  checkWhole('maxSessions', maxSessions, 1, 1_000_000);
  checkWhole('maxSessionsPerCaller', maxSessionsPerCaller, 1, 1_000_000);
  checkWhole('sessionIdleMs', sessionIdleMs, 1, MAX_TIMER_MS);
  return { maxSessions, maxSessionsPerCaller, sessionIdleMs };
}
