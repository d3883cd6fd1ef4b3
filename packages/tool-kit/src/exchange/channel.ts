import type { JsonObject, JsonValue } from '../json.ts';
import type { LogLevel } from './log-level.ts';
import type { QuestionMethod } from './question.ts';

/**
 * One exchange with a client, in the direction of the client: what belongs to the request that is being answered. Each
 * binding of an SDK has one implementation, which looks at the request only when it is asked.
 */
export interface Channel {
  /** The request's `_meta`, as it was sent. */
  readonly meta: JsonObject;
  /** What the client has said that it can do. */
  readonly capabilities: JsonObject;
  /** Sends a notification that belongs to the request. One that cannot be delivered is lost. */
  readonly notify: (method: string, params: JsonObject) => void;
  /** Sends a message for the client to show, if it wants messages of this level. */
  readonly log: (level: LogLevel, data: JsonValue) => void;
  /**
   * Puts a question to the client while the request waits. Rejects with the signal's reason when that aborts.
   *
   * @default the revision has no such requests: questions go into the answer, and what was asked into a new request
   */
  readonly request?:
    | ((
        method: QuestionMethod,
        params: JsonObject,
        options: { readonly signal: AbortSignal; readonly timeoutMs: number },
      ) => Promise<ClientReply>)
    | undefined;
  /** Whether questions that belong together are put at once. @default they are put one after the other */
  readonly asksAtOnce?: boolean | undefined;
  /** What the client has sent along with a request that it makes again, as it was asked to. @default it was not */
  readonly retry?: Retry | undefined;
}

/** What came of a question that was put to a client. */
export type ClientReply =
  | { readonly outcome: 'result'; readonly result: JsonObject }
  | { readonly outcome: 'declined' | 'cancelled' | 'impossible' };

/** What a client brings along, none of it to be trusted. */
export interface Retry {
  /** Its results, by the keys under which they were asked for. */
  readonly answers: JsonObject;
  /** What the server has given it to keep. */
  readonly state: unknown;
}
