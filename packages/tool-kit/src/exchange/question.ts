import { PublicError } from '../errors.ts';
import type { JsonObject } from '../json.ts';

/** The requests that may be put to a client while it waits. */
export type QuestionMethod = 'elicitation/create' | 'sampling/createMessage' | 'roots/list';

/** Something to ask the client, or the person or model behind it. Make it with `form`, `openUrl`, `sampling`, `roots`. */
export interface Question<Value> {
  readonly method: QuestionMethod;
  /** As 2026-07-28 has them. */
  readonly params: JsonObject;
  /** What the client must have said that it can do, as it says it. */
  readonly capability: JsonObject;
  /** Makes sense of the client's result. */
  readonly read: (result: JsonObject) => Reading<Value>;
}

/** What a result says, or what is wrong with it, in words for who answered. */
export type Reading<Value> =
  | { readonly ok: true; readonly answer: Answer<Value> }
  | { readonly ok: false; readonly problem: string };

/**
 * What came of a question. `declined`: somebody said no. `cancelled`: nobody said anything, or not in time.
 * `impossible`: this client cannot be asked.
 */
export type Answer<Value> =
  | { readonly outcome: 'accepted'; readonly value: Value }
  | { readonly outcome: 'declined' }
  | { readonly outcome: 'cancelled' }
  | {
      readonly outcome: 'impossible';
      /** What a client that could be asked says that it can do; empty where none could be. */
      readonly requiredCapabilities: JsonObject;
    };

/** Several questions at once, by keys of yours. */
export type Questions = Readonly<Record<string, Question<unknown>>>;

/** Their answers, by the same keys. */
export type Answers<Asked extends Questions> = {
  readonly [Key in keyof Asked]: Asked[Key] extends Question<infer Value> ? Answer<Value> : never;
};

/** A call cannot go on without an answer, and its client cannot be asked. */
export class MissingCapability extends PublicError {
  readonly requiredCapabilities: JsonObject;

  constructor(
    requiredCapabilities: JsonObject,
    {
      what = 'Something has to be asked first',
      nextStep = 'Tell the person; trying again with the same client does not help.',
    }: { readonly what?: string; readonly nextStep?: string } = {},
  ) {
    const names = Object.keys(requiredCapabilities).join(', ');
    const why = names === '' ? 'this cannot be asked here' : `your client does not offer "${names}"`;
    super('client_cannot_be_asked', `${what}, and ${why}, so nothing was done. ${nextStep}`, { nextStep });
    this.requiredCapabilities = requiredCapabilities;
  }
}

/**
 * The value of an answer, for a handler that can do nothing without it.
 *
 * @throws {PublicError} `question_declined`, `question_cancelled`, `client_cannot_be_asked`: ends the call, and tells the model why.
 */
export function accepted<Value>(answer: Answer<Value>): Value {
  switch (answer.outcome) {
    case 'accepted':
      return answer.value;
    case 'declined':
      throw notAccepted(
        'question_declined',
        'The person has declined, so nothing was done.',
        'Do not try again unless the person asks for it.',
      );
    case 'cancelled':
      throw notAccepted(
        'question_cancelled',
        'The question was not answered, so nothing was done.',
        'Ask the person whether to try again.',
      );
    case 'impossible':
      throw new MissingCapability(answer.requiredCapabilities);
    default:
      return answer satisfies never;
  }
}

function notAccepted(code: string, what: string, nextStep: string): PublicError {
  return new PublicError(code, `${what} ${nextStep}`, { nextStep });
}

/** Whether a client that can do this can be asked. */
export function canBeAsked({ capability }: Question<unknown>, capabilities: JsonObject): boolean {
  return covers(capabilities, capability);
}

function covers(offered: JsonObject, needed: JsonObject): boolean {
  return Object.entries(needed).every(([name, inner]) => {
    const own = Object.hasOwn(offered, name) ? offered[name] : undefined;
    if (!isObject(own)) {
      return false;
    }
    // 2025-11-25, client/elicitation: an empty object is a client that knows forms.
    return (
      (name === 'elicitation' && Object.keys(own).length === 0 && isObject(inner) && 'form' in inner) ||
      covers(own, isObject(inner) ? inner : {})
    );
  });
}

function isObject(value: JsonObject[string]): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
