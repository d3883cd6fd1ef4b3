import {
  intentFields,
  MAX_ENTRIES,
  outcomeFields,
  sharedFields,
  sourceFields,
  type AuditIntent,
  type AuditIntentEvent,
  type AuditOutcome,
  type CountedRefusals,
  type IntentContext,
} from './event.ts';
import { encodeWithin, fitMembers } from './fit.ts';
import { fieldPicker } from './pick-fields.ts';
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
  /** The paths of what was cut. */
  readonly truncated: readonly string[];
}

// What an intent and its outcome both hold is paid for twice.
const MAX_SHARED_LENGTH = 24 * 1024;
const MAX_CONTEXT_LENGTH = 32 * 1024;
const MAX_ARGUMENTS_LENGTH = 64 * 1024;

const pickSource = fieldPicker(sourceFields);
const pickShared = fieldPicker(sharedFields, MAX_ENTRIES);
const pickIntent = fieldPicker(intentFields, MAX_ENTRIES);
const pickOutcome = fieldPicker(outcomeFields, MAX_ENTRIES);

/** Takes the snapshot of an intent, which may also be one read back from disk. */
export function describe(source: EventSource, intent: AuditIntent | AuditIntentEvent): Description {
  const { id, kind, groups } = intent.actor;
  const cut = new Set<string>();
  const fields = {
    ...pickSource(source),
    ...pickShared(intent, (path) => cut.add(path)),
    // Nobody knows the name of a caller that is not known.
    ...(kind === 'anonymous' && { actor: { id, kind, groups } }),
  };
  const members = fitMembers(fields, MAX_SHARED_LENGTH, cut);
  return { members, urgent: intent.urgent, truncated: [...cut] };
}

/** Encodes an intent. What makes the event too large is cut, and the event names it; large arguments are left out. */
export function encodeIntent(
  { members, urgent, truncated }: Description,
  intent: Pick<AuditIntent, 'arguments' | keyof IntentContext>,
  time: number,
): EncodedEvent {
  const id = uuidv7(time);
  const cut = new Set(truncated);
  const context = fitMembers(
    pickIntent(intent, (path) => cut.add(path)),
    MAX_CONTEXT_LENGTH,
    cut,
  );
  const body = objectOf([identity(id, time), '"stage":"intent"', members, context, argumentsOf(intent)], cut);
  return { id, time, body, deliverAtOnce: urgent, intentId: undefined };
}

/** Encodes an outcome, with enough of its intent to be read alone. */
export function encodeOutcome(
  { members, urgent, truncated }: Description,
  intentId: string,
  outcome: Omit<AuditOutcome, 'durationMs'> & {
    readonly durationMs?: number | undefined;
    readonly refusals?: CountedRefusals | undefined;
  },
  time: number,
): EncodedEvent {
  const id = uuidv7(time);
  const cut = new Set(truncated);
  const context = fitMembers(
    pickOutcome(outcome, (path) => cut.add(path)),
    MAX_CONTEXT_LENGTH,
    cut,
  );
  const stage = `"stage":"outcome","intentId":"${intentId}"`;
  const body = objectOf([identity(id, time), stage, members, context], cut);
  const deliverAtOnce = urgent || outcome.result === 'denied';
  return { id, time, body, deliverAtOnce, intentId };
}

/** Completes an encoded event with its sequence. */
export function eventPayload(event: EncodedEvent, sequence: number): string {
  return `{"schemaVersion":1,"sequence":${sequence},${event.body.slice(1)}`;
}

function argumentsOf({ arguments: given }: Pick<AuditIntent, 'arguments'>): string {
  if (given === undefined) {
    return '';
  }
  const text = encodeWithin(given, MAX_ARGUMENTS_LENGTH);
  return text === undefined ? '"argumentsOmitted":true' : `"arguments":${text}`;
}

/** Joins members to an object, and names what was cut from them. */
function objectOf(members: readonly string[], cut: ReadonlySet<string>): string {
  const mark = cut.size === 0 ? '' : `"truncated":${JSON.stringify([...cut])}`;
  return `{${[...members, mark].filter((part) => part !== '').join(',')}}`;
}

function identity(id: string, time: number): string {
  return `"id":"${id}","time":"${new Date(time).toISOString()}"`;
}
