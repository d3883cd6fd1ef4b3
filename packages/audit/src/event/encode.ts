import { AuditError } from '../errors.ts';
import {
  intentFields,
  MAX_ENTRIES,
  outcomeFields,
  sharedFields,
  sourceFields,
  type AuditIntent,
  type AuditIntentEvent,
  type AuditOutcome,
  type IntentContext,
} from './event.ts';
import { fieldPicker } from './pick-fields.ts';
import { boundedCopy, safeJson } from './safe-json.ts';
import { uuidv7 } from './uuid.ts';

/** What identifies the writer in each of its events. */
export interface EventSource {
  readonly writerId: string;
  readonly server: { readonly name: string; readonly version: string };
}

/** An event ready to be stored: everything but the sequence, which the commit assigns. */
export interface EncodedEvent {
  readonly id: string;
  /** In milliseconds since the Unix epoch. */
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

const pickSource = fieldPicker(sourceFields);
const pickShared = fieldPicker(sharedFields);
const pickIntent = fieldPicker(intentFields, MAX_ENTRIES);
const pickOutcome = fieldPicker(outcomeFields, MAX_ENTRIES);

/** Takes the snapshot of an intent, which may also be one read back from disk. */
export function describe(source: EventSource, intent: AuditIntent | AuditIntentEvent): Description {
  const { id, kind, groups } = intent.actor;
  const fields = {
    ...pickSource(source),
    ...pickShared(intent),
    // Nobody knows the name of a caller that is not known.
    ...(kind === 'anonymous' && { actor: { id, kind, groups } }),
  };
  return { members: membersOf(fields), urgent: intent.urgent };
}

/**
 * Encodes an intent. Arguments that make the event too large are left out, and the event says so.
 * @throws {AuditError} `invalid_event`
 */
export function encodeIntent(
  { members, urgent }: Description,
  intent: Pick<AuditIntent, 'arguments' | keyof IntentContext>,
  time: number,
): EncodedEvent {
  const id = uuidv7(time);
  const context = membersOf(pickIntent(intent));
  const start = `${identity(id, time)},"stage":"intent",${members}${context === '' ? '' : `,${context}`}`;
  let body = `{${start}}`;
  if (intent.arguments !== undefined) {
    body = `{${start},${safeJson({ arguments: boundedCopy(intent.arguments) }).slice(1, -1)}}`;
    if (body.length > MAX_BODY_LENGTH) {
      body = `{${start},"argumentsOmitted":true}`;
    }
  }
  return { id, time, body: checkedLength(body), deliverAtOnce: urgent, intentId: undefined };
}

/**
 * Encodes an outcome, with enough of its intent to be read alone.
 * @throws {AuditError} `invalid_event`
 */
export function encodeOutcome(
  { members, urgent }: Description,
  intentId: string,
  outcome: Omit<AuditOutcome, 'durationMs'> & { readonly durationMs?: number | undefined },
  time: number,
): EncodedEvent {
  const id = uuidv7(time);
  const body = `{${identity(id, time)},"stage":"outcome","intentId":"${intentId}",${members},${membersOf(pickOutcome(outcome))}}`;
  const deliverAtOnce = urgent || outcome.result === 'denied';
  return { id, time, body: checkedLength(body), deliverAtOnce, intentId };
}

/** Completes an encoded event with its sequence. */
export function eventPayload(event: EncodedEvent, sequence: number): string {
  return `{"schemaVersion":1,"sequence":${sequence},${event.body.slice(1)}`;
}

function checkedLength(body: string): string {
  if (body.length > MAX_BODY_LENGTH) {
    throw new AuditError(
      'invalid_event',
      `The event has ${body.length} characters, at most ${MAX_BODY_LENGTH}`,
    );
  }
  return body;
}

function identity(id: string, time: number): string {
  return `"id":"${id}","time":"${new Date(time).toISOString()}"`;
}

function membersOf(fields: object): string {
  return safeJson(Object(boundedCopy(fields))).slice(1, -1);
}
