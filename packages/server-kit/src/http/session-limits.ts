import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';

/** How many sessions of the 2025 era there may be, and for how long. */
export interface SessionLimits {
  /** Sessions that may be open at once, from 1 to 1_000_000; a further one is refused. @default 1_000 */
  readonly maxSessions?: number | undefined;
  /** How long a session may lie idle until it is closed, in milliseconds; from 1 to 2_147_483_647. @default 1_800_000 */
  readonly sessionIdleMs?: number | undefined;
}

/** The limits with every default filled in. */
export type ResolvedSessionLimits = { readonly [Name in keyof SessionLimits]-?: number };

/** @throws {RangeError} naming the option that is out of its range. */
export function resolveSessionLimits(limits: SessionLimits): ResolvedSessionLimits {
  const { maxSessions = 1_000, sessionIdleMs = 1_800_000 } = limits;
  checkWhole('maxSessions', maxSessions, 1, 1_000_000);
  checkWhole('sessionIdleMs', sessionIdleMs, 1, MAX_TIMER_MS);
  return { maxSessions, sessionIdleMs };
}
