import type { JsonObject, JsonValue } from '../json.ts';
import type { LogLevel } from './log-level.ts';

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
}
