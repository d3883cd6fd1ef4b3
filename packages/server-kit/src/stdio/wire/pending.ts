import type { RequestId } from './message.ts';

/** Sends the answer of one request; without one, says that there will be none. */
export type Reply = (answer?: object) => void;

/** The requests that wait for their answers. */
export interface Pending {
  /** `false` when a request with this id waits already. */
  readonly add: (id: RequestId, method: string, reply: Reply) => boolean;
  /** Takes the request out: it is being answered, or wants no answer any more. `undefined`: nobody waits for it. */
  readonly take: (id: RequestId) => { readonly method: string; readonly reply: Reply } | undefined;
  /** Of those that hold up the end of a connection. */
  readonly count: () => number;
  /** Of those that count against the share of a connection. */
  readonly calls: () => number;
  /** Of those that hold up the end of a connection. */
  readonly ids: () => readonly RequestId[];
  /** Called each time that the last one is answered. */
  readonly onIdle: (listener: () => void) => void;
}

/** Answered at once, whatever else runs. */
const FREE = new Set(['initialize', 'ping', 'server/discover']);
/** Stays open until the client or the server goes. */
const LASTING = 'subscriptions/listen';

/** Whether a request of this method counts against the share of a connection. */
export function isCall(method: string): boolean {
  return !FREE.has(method) && method !== LASTING;
}

/** Keeps requests by their ids; `1` and `"1"` are two. */
export function createPending(): Pending {
  const entries = new Map<RequestId, { readonly method: string; readonly reply: Reply }>();
  let lasting = 0;
  let calls = 0;
  let idle: () => void = () => undefined;

  return {
    add(id, method, reply) {
      if (entries.has(id)) {
        return false;
      }
      entries.set(id, { method, reply });
      lasting += method === LASTING ? 1 : 0;
      calls += isCall(method) ? 1 : 0;
      return true;
    },
    take(id) {
      const entry = entries.get(id);
      if (entry === undefined) {
        return undefined;
      }
      entries.delete(id);
      lasting -= entry.method === LASTING ? 1 : 0;
      calls -= isCall(entry.method) ? 1 : 0;
      if (entries.size === lasting) {
        queueMicrotask(() => idle());
      }
      return entry;
    },
    count: () => entries.size - lasting,
    calls: () => calls,
    ids: () => [...entries].filter(([, { method }]) => method !== LASTING).map(([id]) => id),
    onIdle(listener) {
      idle = listener;
    },
  };
}
