import { z } from 'zod';

/*
 * The fields of an event, each written once, in the order in which they are stored. What callers pass and what readers
 * get are inferred from these tables; what is stored of a caller's object is picked by them.
 */

/** Any value JSON can hold. A member that is `undefined` is left out, as `JSON.stringify` does. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

const traceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .optional();

/** Assigned by the writer. */
const identityFields = {
  schemaVersion: z.literal(1),
  /** Counts the records of one writer without gaps; the only safe order. */
  sequence: z.int().positive(),
  id: z.uuid({ version: 'v7' }),
  time: z.iso.datetime(),
};

/** Says what is missing from an event. */
const marks = {
  /** The lists and members that were cut to keep the event small, such as `actor.groups`. */
  truncated: z.array(z.string()).optional(),
};

/** What identifies the writer in each of its events. */
export const sourceFields = {
  /** The chain this event belongs to: one per directory. */
  writerId: z.uuid(),
  server: z.looseObject({ name: z.string(), version: z.string() }),
};

const actor = z.looseObject({
  /** `issuer#subject`, or `anonymous` before a caller is known. */
  id: z.string(),
  kind: z.enum(['user', 'service', 'anonymous']),
  displayName: z.string().optional(),
  email: z.string().optional(),
  /** Display name and e-mail address, encrypted with a key that can be destroyed. */
  sealed: z.string().optional(),
  /** The groups that the decision was made with. */
  groups: z.array(z.string()),
});

/** Why a call was allowed and how fresh the facts behind that were. */
const decisionFields = {
  /** The rule of the policy that allowed or refused the call. */
  rule: z.string().optional(),
  /** Age of what the directory had said of the caller when the call was decided, in milliseconds. */
  directoryAgeMs: z.number().nonnegative().optional(),
};

/** What an intent shares with its outcome, which can then be read alone. */
export const sharedFields = {
  actor,
  /** The MCP method, or `authenticate`. */
  action: z.string(),
  /** The tool, URI or prompt. */
  target: z.string(),
  /** What is acted on, such as `payment-service/production`. */
  resource: z.string().optional(),
  /** The reference that the user was given. */
  correlationId: z.string(),
  /** `internal`: the trail reports on itself. */
  transport: z.enum(['stdio', 'http', 'internal']),
  era: z.enum(['2025', '2026']).optional(),
  /** The work that goes on after the answer, whose end the outcome is. */
  taskId: z.string().optional(),
  /** What the client says of itself. */
  client: z.looseObject({ name: z.string(), version: z.string() }).optional(),
  sourceAddress: z.string().optional(),
  ...decisionFields,
  /** Delivered at once instead of at the next interval. */
  urgent: z.boolean(),
};

/** What surrounds the arguments of an intent. */
export const intentFields = {
  /** The trace that the call belongs to: 32 hexadecimal digits. */
  traceId,
  /** The names of all arguments; the values are in `arguments`, in `argumentDigests` or nowhere. */
  argumentNames: z.array(z.string()).optional(),
  /** Keyed digests of arguments whose values are not kept, by name. */
  argumentDigests: z.record(z.string(), z.string()).optional(),
};

const upstreamCall = z.looseObject({
  /** The configured name of the upstream, never its URL. */
  upstream: z.string(),
  /** Which of its endpoints, by an id of ours, never a path. */
  endpoint: z.string().optional(),
  /** `ok`, or the code of the failure. */
  outcome: z.string(),
  /** Requests on the wire. */
  attempts: z.int().optional(),
  /** In milliseconds. */
  durationMs: z.number().nonnegative().optional(),
});

const resultFields = {
  result: z.enum(['success', 'failure', 'denied', 'unknown']),
  /** A code, never free text. */
  reason: z.string().optional(),
};

const callFields = {
  /** The trace that the call ran in: 32 hexadecimal digits. */
  traceId,
  /** What the call did behind this server, in the order in which it ended. */
  upstreamCalls: z.array(upstreamCall).optional(),
  /** Of what a person has agreed to before. Absent when nobody was asked. */
  confirmationId: z.string().optional(),
  /** The task ended in another process; what ran there has an intent and an outcome in the trail of that one. */
  isElsewhere: z.literal(true).optional(),
};

/** The refusals that an event stands for. */
const refusals = z.looseObject({
  /** How many there were; the event is the last of them. */
  count: z.int().positive(),
  /** The same by reason. */
  reasons: z.record(z.string(), z.int().positive()),
  /** When the first and the last of them were. */
  since: z.iso.datetime(),
  until: z.iso.datetime(),
});

/** What is known of a call once it ended. */
export const outcomeFields = {
  ...resultFields,
  /** In milliseconds. Absent when the process ended before the outcome was known. */
  durationMs: z.number().nonnegative().optional(),
  ...callFields,
  /** Set when the event stands for many refusals of one caller or address, which were only counted. */
  refusals: refusals.optional(),
};

/** How many entries are kept of each list whose length others choose, by its path. */
export const MAX_ENTRIES = {
  'actor.groups': 1000,
  argumentNames: 100,
  argumentDigests: 100,
  upstreamCalls: 100,
};

const intentEvent = z.looseObject({
  ...identityFields,
  ...sourceFields,
  ...sharedFields,
  stage: z.literal('intent'),
  arguments: z.record(z.string(), z.json()).optional(),
  /** The arguments were too large to keep. */
  argumentsOmitted: z.literal(true).optional(),
  ...intentFields,
  ...marks,
});

const outcomeEvent = z.looseObject({
  ...identityFields,
  ...sourceFields,
  ...sharedFields,
  stage: z.literal('outcome'),
  intentId: z.uuid({ version: 'v7' }),
  ...outcomeFields,
  ...marks,
});

/** Checks one event as a collector receives it. Loose: a newer writer may add fields. */
export const auditEventSchema = z.discriminatedUnion('stage', [intentEvent, outcomeEvent]);

/** One event as stored and delivered: an intent, or an outcome that can be read without its intent. */
export type AuditEvent = z.infer<typeof auditEventSchema>;
/** The event written before an action. */
export type AuditIntentEvent = z.infer<typeof intentEvent>;
/** The event written after an action; repeats its intent without the arguments. */
export type AuditOutcomeEvent = z.infer<typeof outcomeEvent>;

/** What a caller passes for a field: readonly, and without the members that a newer writer may add. */
type Input<T> = T extends readonly (infer Item)[]
  ? readonly Input<Item>[]
  : T extends object
    ? {
        readonly [
          Name in keyof T as string extends Name ? (unknown extends T[Name] ? never : Name) : Name
        ]: Input<T[Name]>;
      }
    : T;
type InputOf<Fields extends z.ZodRawShape> = Input<z.infer<z.ZodObject<Fields>>>;

/** Who acts. `id` is `issuer#subject`, or `anonymous` before a caller is known. */
export type AuditActor =
  | (Input<z.infer<typeof actor>> & { readonly kind: 'user' | 'service' })
  | { readonly id: 'anonymous'; readonly kind: 'anonymous'; readonly groups: readonly [] };

/** One call to an upstream. */
export type UpstreamCall = Input<z.infer<typeof upstreamCall>>;

/** How often, why and when the refusals were that one event stands for. */
export interface CountedRefusals extends Input<z.infer<typeof refusals>> {}

/** What surrounds an intent: why it was allowed, what it belongs to, how fresh the facts behind it were. */
export interface IntentContext extends InputOf<typeof decisionFields & typeof intentFields> {}

/** What is known of a call once it ended. */
export interface OutcomeContext extends InputOf<typeof callFields> {}

/** What is about to happen. `action` is the MCP method or `authenticate`, `target` the tool, URI or prompt. */
export interface AuditIntent
  extends IntentContext, Omit<InputOf<typeof sharedFields>, 'actor' | keyof IntentContext> {
  readonly actor: AuditActor;
  /** Only the fields the tool allow-lists. */
  readonly arguments?: JsonObject | undefined;
}

/** What came of it. `reason` is a code, never free text. */
export interface AuditOutcome extends OutcomeContext, InputOf<typeof resultFields> {
  /** In milliseconds. */
  readonly durationMs: number;
}
