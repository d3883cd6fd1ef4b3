import type { ChangeFeed, ChangeListener } from '../changes/change-feed.ts';
import { notificationOf } from '../changes/notification.ts';
import type { JsonObject } from '../json.ts';
import type { Caller } from '../ports.ts';

/** What one session of the 2025 era is told of what changes. */
export interface SessionChanges {
  /** What the client watches. From its first request on it is told, and later ones say what it may know by then. */
  readonly of: (caller: Caller) => ChangeListener;
  readonly close: () => void;
}

/** `notify` sends to the client, and rejects once that is gone. */
export function createSessionChanges(
  changes: ChangeFeed,
  notify: (method: string, params: JsonObject) => Promise<void>,
): SessionChanges {
  let current: { readonly callerId: string; readonly listener: ChangeListener } | undefined;
  let isClosed = false;

  function close(): void {
    isClosed = true;
    current?.listener.close();
    current = undefined;
  }

  function open(caller: Caller): ChangeListener {
    const listener = changes.open({
      caller,
      lists: ['tools', 'resources', 'prompts'],
      tell(change) {
        const { method, params } = notificationOf(change);
        // Nobody is there to be told anything more.
        notify(method, params).catch(close);
      },
    });
    if (isClosed) {
      listener.close();
    } else {
      current = { callerId: caller.id, listener };
    }
    return listener;
  }

  return {
    of(caller) {
      if (current?.callerId === caller.id) {
        current.listener.become(caller);
        return current.listener;
      }
      current?.listener.close();
      return open(caller);
    },
    close,
  };
}
