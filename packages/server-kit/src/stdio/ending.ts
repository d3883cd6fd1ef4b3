import type { ShutdownPlan } from '../server/shutdown-budget.ts';

/** Why a connection ends. */
export type EndCause =
  /** The server is told to stop, and the client still listens. */
  | 'stopped'
  /** The client has closed its end of the input; it may still read. */
  | 'input_ended'
  /** Nobody reads the output, or a server has closed the connection by itself. */
  | 'closed'
  /** The server is told to stop at once: whoever told will not wait. */
  | 'urgent'
  /** The server could not start. */
  | 'start_failed';

/** How long each step of an end may take, in milliseconds. */
export interface EndPlan {
  /** Running calls end by themselves. */
  readonly callsMs: number;
  /** Calls that were aborted write down how they ended. */
  readonly settleMs: number;
  /** What was written is read. */
  readonly flushMs: number;
  /** All of it, the end of the server included; its tasks get what the calls leave. @default the termination grace period */
  readonly totalMs?: number | undefined;
}

/** How long the calls that came with the end of the input wait for a server that is still starting. */
export const START_MS = 1_500;

// A client that closes the input waits for two seconds and then sends signals; some kill half a second after the first.
const INPUT_ENDED: EndPlan = { callsMs: 800, settleMs: 200, flushMs: 100, totalMs: 1_500 };
const CLOSED: EndPlan = { ...INPUT_ENDED, callsMs: 0, flushMs: 0 };
const URGENT: EndPlan = { callsMs: 0, settleMs: 60, flushMs: 20, totalMs: 160 };
const START_FAILED: EndPlan = { callsMs: 0, settleMs: 100, flushMs: 500, totalMs: 1_000 };

/** From the most patient on. */
const ORDER: readonly EndCause[] = ['stopped', 'input_ended', 'closed', 'urgent', 'start_failed'];

/** Which of two causes leaves less time. */
export function moreUrgent(a: EndCause | undefined, b: EndCause): EndCause {
  return a !== undefined && ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}

/** The steps of an end, within what a shutdown has. */
export function endPlan(cause: EndCause, drainMs: number, { responsesMs }: ShutdownPlan): EndPlan {
  switch (cause) {
    case 'stopped':
      return { callsMs: drainMs, settleMs: responsesMs / 4, flushMs: responsesMs / 4 };
    case 'input_ended':
      return INPUT_ENDED;
    case 'closed':
      return CLOSED;
    case 'urgent':
      return URGENT;
    case 'start_failed':
      return START_FAILED;
    default:
      return cause satisfies never;
  }
}
