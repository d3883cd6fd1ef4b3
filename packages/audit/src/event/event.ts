import { z } from 'zod';

import { AuditError } from '../errors.ts';
import {
  intentContext,
  intentContextFields,
  outcomeContext,
  outcomeContextFields,
  sharedContext,
  sharedContextFields,
  type IntentContext,
  type OutcomeContext,
} from './event-context.ts';
import { boundedCopy, safeJson } from './safe-json.ts';
import { uuidv7 } from './uuid.ts';

/** Any value JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Who acts. `id` is `issuer#subject`, or `anonymous` before a caller is known. */
export type AuditActor =
  | {
      readonly id: string;
      readonly kind: 'user' | 'service';
      readonly displayName?: string | undefined;
      readonly email?: string | undefined;
      /** Display name and e-mail address, encrypted with a key that can be destroyed. */
      readonly sealed?: string | undefined;
      readonly groups: readonly string[];
    }
  | { readonly id: 'anonymous'; readonly kind: 'anonymous'; readonly groups: readonly [] };

/** What is about to happen. `action` is the MCP method or `authenticate`, `target` the tool, URI or prompt. */
export interface AuditIntent extends IntentContext {
  readonly actor: AuditActor;
  readonly action: string;
  readonly target: string;
  /** What is acted on, such as `payment-service/production`. */
  readonly resource?: string | undefined;
  /** Only the fields the tool allow-lists. */
  readonly arguments?: JsonObject | undefined;
  readonly correlationId: string;
  /** `internal`: the trail reports on itself. */
  readonly transport: 'stdio' | 'http' | 'internal';
  readonly era?: '2025' | '2026' | undefined;
  readonly client?: { readonly name: string; readonly version: string } | undefined;
  readonly sourceAddress?: string | undefined;
  /** Delivered at once instead of at the next interval. */
  readonly urgent: boolean;
}

/** What came of it. `reason` is a code, never free text. */
export interface AuditOutcome extends OutcomeContext {
  readonly result: 'success' | 'failure' | 'denied' | 'unknown';
  readonly reason?: string | undefined;
  readonly durationMs: number;
}

const actor = z.looseObject({
  id: z.string(),
  kind: z.enum(['user', 'service', 'anonymous']),
  displayName: z.string().optional(),
  email: z.string().optional(),
  sealed: z.string().optional(),
  groups: z.array(z.string()),
});

const common = {
  schemaVersion: z.literal(1),
  /** Counts the records of one writer without gaps; the only safe order. */
  sequence: z.int().positive(),
  /** The chain this event belongs to: one per directory. */
  writerId: z.uuid(),
  id: z.uuid({ version: 'v7' }),
  time: z.iso.datetime(),
  server: z.looseObject({ name: z.string(), version: z.string() }),
  actor,
  action: z.string(),
  target: z.string(),
  resource: z.string().optional(),
  correlationId: z.string(),
  transport: z.enum(['stdio', 'http', 'internal']),
  era: z.enum(['2025', '2026']).optional(),
  client: z.looseObject({ name: z.string(), version: z.string() }).optional(),
  sourceAddress: z.string().optional(),
  ...sharedContextFields,
  urgent: z.boolean(),
};

const intentEvent = z.looseObject({
  ...common,
  stage: z.literal('intent'),
  arguments: z.record(z.string(), z.json()).optional(),
  /** The arguments were too large to keep. */
  argumentsOmitted: z.literal(true).optional(),
  ...intentContextFields,
});

const outcomeEvent = z.looseObject({
  ...common,
  stage: z.literal('outcome'),
  intentId: z.uuid({ version: 'v7' }),
  result: z.enum(['success', 'failure', 'denied', 'unknown']),
  reason: z.string().optional(),
  /** Absent when the process ended before the outcome was known. */
  durationMs: z.number().nonnegative().optional(),
  ...outcomeContextFields,
});

/** Checks one event as a collector receives it. Loose: a newer writer may add fields. */
export const auditEventSchema = z.discriminatedUnion('stage', [intentEvent, outcomeEvent]);

/** One event as stored and delivered: an intent, or an outcome that can be read without its intent. */
export type AuditEvent = z.infer<typeof auditEventSchema>;
/** The event written before an action. */
export type AuditIntentEvent = z.infer<typeof intentEvent>;
/** The event written after an action; repeats its intent without the arguments. */
export type AuditOutcomeEvent = z.infer<typeof outcomeEvent>;

/** What identifies the writer in each of its events. */
export interface EventSource {
  readonly writerId: string;
  readonly server: { readonly name: string; readonly version: string };
}

/** An event ready to be stored: everything but the sequence, which the commit assigns. */
export interface EncodedEvent {
  readonly id: string;
  /** In ms since the epoch. */
  readonly time: number;
  /** JSON object text. */
  readonly body: string;
  readonly deliverAtOnce: boolean;
  /** The intent that an outcome closes; `undefined` for an intent. */
  readonly intentId: string | undefined;
}

/** What an intent and its outcome have in common; a snapshot, no longer tied to the caller's objects. */
export interface Description {
  /** JSON members, without the braces. */
  readonly members: string;
  readonly urgent: boolean;
}

const MAX_BODY_LENGTH = 128 * 1024;

/** Takes the snapshot of an intent, which may also be one read back from disk. */
export function describe(source: EventSource, intent: AuditIntent | AuditIntentEvent): Description {
  const { actor, client } = intent;
  // Field by field, so that a caller's extra property can never take the place of one of ours.
  const fields = {
    writerId: source.writerId,
    server: { name: source.server.name, version: source.server.version },
    actor: {
      id: actor.id,
      kind: actor.kind,
      ...(actor.kind !== 'anonymous' && {
        displayName: actor.displayName,
        email: actor.email,
        sealed: actor.sealed,
      }),
      groups: actor.groups,
    },
    action: intent.action,
    target: intent.target,
    resource: intent.resource,
    correlationId: intent.correlationId,
    transport: intent.transport,
    era: intent.era,
    client: client && { name: client.name, version: client.version },
    sourceAddress: intent.sourceAddress,
    ...sharedContext(intent),
    urgent: intent.urgent,
  };
  return { members: membersOf(Object(boundedCopy(fields))), urgent: intent.urgent };
}

/**
 * Encodes an intent. Arguments that make the event too large are left out, and the event says so.
 * @throws AuditError `invalid_event`
 */
export function encodeIntent(
  { members, urgent }: Description,
  intent: Pick<AuditIntent, 'arguments' | keyof IntentContext>,
  time: number,
): EncodedEvent {
  const id = uuidv7(time);
  const context = optionalMembers(intentContext(intent));
  const start = `${identity(id, time)},"stage":"intent",${members}${context}`;
  let body = `{${start}}`;
  if (intent.arguments !== undefined) {
    body = `{${start},${membersOf({ arguments: boundedCopy(intent.arguments) })}}`;
    if (body.length > MAX_BODY_LENGTH) body = `{${start},"argumentsOmitted":true}`;
  }
  return { id, time, body: checkedLength(body), deliverAtOnce: urgent, intentId: undefined };
}

/**
 * Encodes an outcome, with enough of its intent to be read alone.
 * @throws AuditError `invalid_event`
 */
export function encodeOutcome(
  { members, urgent }: Description,
  intentId: string,
  outcome: Omit<AuditOutcome, 'durationMs'> & { readonly durationMs?: number },
  time: number,
): EncodedEvent {
  const { result, reason, durationMs } = outcome;
  const id = uuidv7(time);
  const outcomeMembers = membersOf(
    Object(boundedCopy({ result, reason, durationMs, ...outcomeContext(outcome) })),
  );
  const body = `{${identity(id, time)},"stage":"outcome","intentId":"${intentId}",${members},${outcomeMembers}}`;
  return { id, time, body: checkedLength(body), deliverAtOnce: urgent || result === 'denied', intentId };
}

/** Completes an encoded event with its sequence. */
export function eventPayload(event: EncodedEvent, sequence: number): string {
  return `{"schemaVersion":1,"sequence":${sequence},${event.body.slice(1)}`;
}

function checkedLength(body: string): string {
  if (body.length > MAX_BODY_LENGTH)
    throw new AuditError(
      'invalid_event',
      `The event has ${body.length} characters, at most ${MAX_BODY_LENGTH}`,
    );
  return body;
}

function identity(id: string, time: number): string {
  return `"id":"${id}","time":"${new Date(time).toISOString()}"`;
}

function membersOf(value: object): string {
  return safeJson(value).slice(1, -1);
}

function optionalMembers(value: object): string {
  const members = membersOf(Object(boundedCopy(value)));
  return members === '' ? '' : `,${members}`;
}
