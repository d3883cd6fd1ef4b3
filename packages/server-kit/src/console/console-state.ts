/** What the operator's page is told beside the metrics. It holds no arguments of calls, and no secrets. */
export interface ConsoleState {
  readonly server: { readonly name: string; readonly version: string };
  /** When it was so, in milliseconds since the Unix epoch. */
  readonly at: number;
  readonly status: 'ready' | 'degraded' | 'not_ready' | 'closing';
  readonly checks: Readonly<Record<string, 'ok' | 'failed' | 'unknown'>>;
  /** Whether there is anything to sign out of. */
  readonly isSignedIn: boolean;
  readonly facts: readonly ConsoleFact[];
  /** @default the trail does not show its events */
  readonly recent?: ConsoleTrail | undefined;
}

/** How old something is that decisions rest on; all in milliseconds. */
interface ConsoleFact {
  readonly fact: string;
  readonly ageMs: number;
  readonly limitMs: number;
  readonly failingMs: number;
}

/** The end of the audit trail. */
export interface ConsoleTrail {
  /** `unreadable`: the disk did not let it be read. */
  readonly chain: 'linked' | 'broken' | 'unreadable';
  /** Newest first. */
  readonly events: readonly ConsoleEvent[];
}

/** Who did what, and how it ended. */
export interface ConsoleEvent {
  readonly sequence: number;
  readonly time: string;
  readonly stage: 'intent' | 'outcome';
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly resource?: string | undefined;
  readonly correlationId: string;
  readonly result?: string | undefined;
  readonly reason?: string | undefined;
  readonly durationMs?: number | undefined;
  /** How many refusals it stands for. */
  readonly count?: number | undefined;
}
