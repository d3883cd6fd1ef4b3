import { PublicError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { withoutUnseen } from '../visible-text.ts';
import { digestOf } from './digest.ts';
import { correctedParams, MAX_TRIES, misfit } from './misfit.ts';
import type { Answer, Question, Questions } from './question.ts';

/** What a call knows of its earlier rounds: what the client keeps for it, sealed. */
export interface CallState {
  /** Of the first round: all rounds are one call. */
  readonly correlationId: string;
  readonly round: number;
  /** The client's results by key, and to what they were given. */
  readonly answered: Readonly<Record<string, { readonly digest: string; readonly result: JsonObject }>>;
  /** What was asked last. */
  readonly asked: Readonly<Record<string, { readonly digest: string; readonly tries: number }>>;
  /** What `once` has given, by key. */
  readonly done: Readonly<Record<string, JsonValue>>;
}

/** What a call knows that has no earlier rounds. */
export function firstRound(correlationId: string): CallState {
  return { correlationId, round: 0, answered: {}, asked: {}, done: {} };
}

/** Ends a run of a handler whose questions go to the client: the call begins anew when that has answered. */
class Asked extends Error {
  readonly code = 'input_required';

  constructor() {
    super('the client is asked: the handler ends here, and runs again with the answers. Do not catch this.');
  }
}

/** More rounds than this are no conversation. */
const MAX_ROUNDS = 16;

interface Pending {
  readonly question: Question<unknown>;
  readonly digest: string;
  readonly tries: number;
  readonly problem: string | undefined;
}

/** Asks in the answer to a request, which the client then makes again (2026-07-28, basic/patterns/mrtr). */
export class AskByRetry {
  readonly #state: CallState;
  readonly #answers: JsonObject;
  readonly #answered: Record<string, CallState['answered'][string]> = {};
  readonly #pending = new Map<string, Pending>();

  /** `state`: of the round before. `answers`: what the client has sent in this one. */
  constructor(state: CallState, answers: JsonObject) {
    this.#state = state;
    this.#answers = answers;
    Object.assign(this.#answered, state.answered);
  }

  /**
   * The answers, all of them.
   *
   * @throws {Asked} while one of them is missing.
   */
  ask(questions: Questions): Readonly<Record<string, Answer<unknown>>> {
    const answers = Object.entries(questions).map(
      ([key, question]) => [key, this.#answerTo(key, question)] as const,
    );
    if (answers.some(([, answer]) => answer === undefined)) {
      throw new Asked();
    }
    return Object.fromEntries(answers) as Readonly<Record<string, Answer<unknown>>>;
  }

  /** Whether an answer is missing. */
  get isAsking(): boolean {
    return this.#pending.size > 0;
  }

  /** The requests that the answer must hold, and the state to seal; `undefined` when nothing has to be asked. */
  next(done: CallState['done']): { readonly requests: JsonObject; readonly state: CallState } | undefined {
    if (this.#pending.size === 0) {
      return undefined;
    }
    const pending = [...this.#pending];
    return {
      requests: Object.fromEntries(
        pending.map(([key, { question, problem }]) => [
          key,
          { method: question.method, params: withoutUnseen(correctedParams(question.params, problem)) },
        ]),
      ),
      state: {
        correlationId: this.#state.correlationId,
        round: this.#state.round + 1,
        answered: this.#answered,
        asked: Object.fromEntries(pending.map(([key, { digest, tries }]) => [key, { digest, tries }])),
        done,
      },
    };
  }

  #answerTo(key: string, question: Question<unknown>): Answer<unknown> | undefined {
    // An answer counts for the question as it was put, and for no other.
    const digest = digestOf([question.method, question.params]).toString('base64url');
    const earlier = ownMember(this.#state.answered, key);
    const reading = earlier?.digest === digest ? question.read(earlier.result) : undefined;
    if (reading?.ok === true) {
      return reading.answer;
    }

    const asked = ownMember(this.#state.asked, key);
    const result = ownMember(this.#answers, key);
    if (asked?.digest !== digest || !isObject(result)) {
      return this.#wait(key, { question, digest, tries: 0, problem: undefined });
    }
    const read = question.read(result);
    if (read.ok) {
      this.#answered[key] = { digest, result };
      return read.answer;
    }
    const tries = asked.tries + 1;
    if (tries >= MAX_TRIES) {
      throw misfit(read.problem);
    }
    return this.#wait(key, { question, digest, tries, problem: read.problem });
  }

  #wait(key: string, pending: Pending): undefined {
    if (this.#state.round >= MAX_ROUNDS) {
      throw new PublicError(
        'too_many_questions',
        'Nothing was done: the call has asked too often without an end. Tell the person.',
      );
    }
    this.#pending.set(key, pending);
    return undefined;
  }
}

function ownMember<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
