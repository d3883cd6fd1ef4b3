import type { JsonObject, JsonValue } from '../json.ts';
import { askByRequest } from './ask-by-request.ts';
import { AskByRetry, type CallState } from './ask-by-retry.ts';
import type { Channel } from './channel.ts';
import { canBeAsked, type Answer, type Answers, type Question, type Questions } from './question.ts';

/** Puts a question to the client, or several at once. */
export interface Ask {
  <Value>(question: Question<Value>): Promise<Answer<Value>>;
  <Asked extends Questions>(questions: Asked): Promise<Answers<Asked>>;
}

/** Does something in one round of a call only. */
export type Once = <Value extends JsonValue>(
  key: string,
  work: () => Value | Promise<Value>,
) => Promise<Value>;

/** What the conversation of one call needs. */
export interface ConversationOptions {
  /** `undefined`: nobody can be asked. */
  readonly channel: Channel | undefined;
  /** Of the rounds before, or of none. */
  readonly state: CallState;
  /** Aborts when the call is to end. */
  readonly signal: () => AbortSignal;
  /** How long each answer may take, in milliseconds. */
  readonly answerWithinMs: number;
  /** Stops the clock of the call until what it returns is called. */
  readonly pause: () => () => void;
}

/** What one call asks its client, whatever the era. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #retry: AskByRetry | undefined;
  readonly #keys = new Set<string>();
  readonly #once = new Map<string, Promise<JsonValue>>();
  readonly #done: Record<string, JsonValue>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ConversationOptions) {
    const { channel, state } = options;
    this.#options = options;
    this.#done = { ...state.done };
    if (channel !== undefined && channel.request === undefined) {
      this.#retry = new AskByRetry(state, channel.retry?.answers ?? {});
    }
  }

  readonly ask: Ask = (asked: Question<unknown> | Questions) => {
    const key = `question-${this.#keys.size + 1}`;
    const answers: Promise<unknown> = isQuestion(asked)
      ? this.#askAll({ [key]: asked }).then((all) => all[key])
      : this.#askAll(asked);
    // A handler that does not wait for its answers gets none, and that is no fault of the process.
    answers.catch(() => undefined);
    return answers as Promise<never>;
  };

  readonly once: Once = <Value extends JsonValue>(key: string, work: () => Value | Promise<Value>) => {
    if (Object.hasOwn(this.#done, key)) {
      // Of the same work in an earlier round, or in this one.
      return Promise.resolve(this.#done[key] as Value);
    }
    const known = this.#once.get(key);
    if (known !== undefined) {
      return known as Promise<Value>;
    }
    const run = async () => {
      const value = await work();
      this.#done[key] = value;
      return value;
    };
    const running = run();
    this.#once.set(key, running);
    // One that has failed may be tried again.
    running.catch(() => this.#once.delete(key));
    return running;
  };

  /** Whether the client must answer before the call can go on. */
  get isAsking(): boolean {
    return this.#retry?.isAsking === true;
  }

  /** What the client is to be asked before the call can go on; `undefined` when nothing is left to ask. */
  next(): { readonly requests: JsonObject; readonly state: CallState } | undefined {
    return this.#retry?.next(this.#done);
  }

  async #askAll(questions: Questions): Promise<Readonly<Record<string, Answer<unknown>>>> {
    for (const key of Object.keys(questions)) {
      if (this.#keys.has(key)) {
        throw new TypeError(`ask: the key "${key}" was used before in this call`);
      }
      this.#keys.add(key);
    }
    const { channel } = this.#options;
    const all = Object.entries(questions);
    const possible = all.filter(([, question]) => canBeAsked(question, channel?.capabilities ?? {}));
    const impossible = all
      .filter((entry) => !possible.includes(entry))
      .map(([key, { capability }]) => {
        const requiredCapabilities = channel === undefined ? {} : capability;
        return [key, { outcome: 'impossible', requiredCapabilities }] as const;
      });
    const answers = await this.#put(Object.fromEntries(possible));
    return { ...Object.fromEntries(impossible), ...answers };
  }

  async #put(questions: Questions): Promise<Readonly<Record<string, Answer<unknown>>>> {
    if (this.#retry !== undefined) {
      return this.#retry.ask(questions);
    }
    if (this.#options.channel?.asksAtOnce === true) {
      const all = Object.entries(questions);
      return Object.fromEntries(
        await Promise.all(all.map(async ([key, question]) => [key, await this.#question(question)] as const)),
      );
    }
    const answers: Record<string, Answer<unknown>> = {};
    for (const [key, question] of Object.entries(questions)) {
      // oxlint-disable-next-line no-await-in-loop -- A person is asked one thing after the other.
      answers[key] = await this.#inTurn(question);
    }
    return answers;
  }

  #inTurn(question: Question<unknown>): Promise<Answer<unknown>> {
    const turn = this.#last.then(() => this.#question(question));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #question(question: Question<unknown>): Promise<Answer<unknown>> {
    const { channel, signal, answerWithinMs, pause } = this.#options;
    const request = channel?.request;
    if (request === undefined) {
      return Promise.resolve({ outcome: 'impossible', requiredCapabilities: question.capability });
    }
    const options = { request: request.bind(channel), signal: signal(), answerWithinMs, pause };
    return askByRequest(question, options);
  }
}

function isQuestion(asked: Question<unknown> | Questions): asked is Question<unknown> {
  return typeof asked['method'] === 'string';
}
