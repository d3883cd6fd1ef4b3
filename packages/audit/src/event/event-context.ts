import { z } from 'zod';

/** What surrounds an intent: why it was allowed, what it belongs to, how fresh the facts behind it were. */
export interface IntentContext {
  /** The trace that the call belongs to: 32 hexadecimal digits. */
  readonly traceId?: string | undefined;
  /** The rule of the policy that allowed or refused the call. */
  readonly rule?: string | undefined;
  /** Age of what the directory had said of the caller when the call was decided, in ms. */
  readonly directoryAgeMs?: number | undefined;
  /** The names of all arguments; the values are in `arguments`, in `argumentDigests` or nowhere. */
  readonly argumentNames?: readonly string[] | undefined;
  /** Keyed digests of arguments whose values are not kept, by name. */
  readonly argumentDigests?: Readonly<Record<string, string>> | undefined;
}

/** One call to a service behind this server. */
export interface UpstreamCall {
  /** The configured name of the service, never its URL. */
  readonly upstream: string;
  /** Which of its endpoints, by an id of ours, never a path. */
  readonly endpoint?: string | undefined;
  /** `ok`, or the code of the failure. */
  readonly outcome: string;
  /** Requests on the wire. */
  readonly attempts?: number | undefined;
  readonly durationMs?: number | undefined;
}

/** What is known of a call once it ended. */
export interface OutcomeContext {
  /** The trace that the call ran in: 32 hexadecimal digits. */
  readonly traceId?: string | undefined;
  /** What the call did behind this server, in the order in which it ended. */
  readonly upstreamCalls?: readonly UpstreamCall[] | undefined;
}

const traceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .optional();

/** The fields that an intent shares with its outcome. */
export const sharedContextFields = {
  rule: z.string().optional(),
  directoryAgeMs: z.number().nonnegative().optional(),
};

/** The fields of an intent alone. */
export const intentContextFields = {
  traceId,
  argumentNames: z.array(z.string()).optional(),
  argumentDigests: z.record(z.string(), z.string()).optional(),
};

/** The fields of an outcome alone. */
export const outcomeContextFields = {
  traceId,
  upstreamCalls: z
    .array(
      z.looseObject({
        upstream: z.string(),
        endpoint: z.string().optional(),
        outcome: z.string(),
        attempts: z.int().optional(),
        durationMs: z.number().nonnegative().optional(),
      }),
    )
    .optional(),
};

const MAX_ENTRIES = 100;

/** Picks the fields that an intent shares with its outcome. */
export function sharedContext({ rule, directoryAgeMs }: IntentContext): object {
  return { rule, directoryAgeMs };
}

/** Picks the fields of an intent alone; at most 100 arguments are listed. */
export function intentContext({ traceId, argumentNames, argumentDigests }: IntentContext): object {
  return {
    traceId,
    argumentNames: argumentNames?.slice(0, MAX_ENTRIES),
    argumentDigests:
      argumentDigests && Object.fromEntries(Object.entries(argumentDigests).slice(0, MAX_ENTRIES)),
  };
}

/** Picks the fields of an outcome alone; at most 100 calls are listed. */
export function outcomeContext({ traceId, upstreamCalls }: OutcomeContext): object {
  return {
    traceId,
    upstreamCalls: upstreamCalls
      ?.slice(0, MAX_ENTRIES)
      .map(({ upstream, endpoint, outcome, attempts, durationMs }) => ({
        upstream,
        endpoint,
        outcome,
        attempts,
        durationMs,
      })),
  };
}
