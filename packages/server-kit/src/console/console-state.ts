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
  /** Running tasks, `unreadable` when their store does not answer. @default the server has none */
  readonly tasks?: readonly ConsoleTask[] | 'unreadable' | undefined;
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

/** A running task of whoever it is, in whatever process that shares the store; durations in milliseconds. */
export interface ConsoleTask {
  readonly tool: string;
  readonly state: 'running' | 'input_required';
  /** The number of its run, from 1. */
  readonly attempt: number;
  /** From 0 to 100. */
  readonly percent: number;
  /** The beginning of what the handler said last. */
  readonly message: string;
  readonly ageMs: number;
  /** Since it changed or reported. */
  readonly silenceMs: number;
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
