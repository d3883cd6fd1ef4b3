/**
 * Something that changed on a server and that clients may want to hear of. Plain JSON, small, and without anything
 * secret: a bus may carry it to other processes.
 */
export type ServerEvent =
  | {
      readonly kind: 'tools_list_changed' | 'prompts_list_changed' | 'resources_list_changed';
      /** The permissions that open what changed: who has none of them is not told. @default everybody is told */
      readonly permissions?: readonly string[] | undefined;
    }
  | {
      readonly kind: 'resource_updated';
      /** Who watches exactly this URI, and may still read it, is told. */
      readonly uri: string;
      /** The ids of those who may hear of it. @default all who watch it */
      readonly callerIds?: readonly string[] | undefined;
    }
  | {
      /** Somebody may do more or less than before: whose lists differ now is told. */
      readonly kind: 'permissions_changed';
      /** @default anybody */
      readonly callerId?: string | undefined;
    };

/**
 * Carries events to everybody who listens: those of this process, and, where processes share a bus, of all of them.
 * Each event is a fresh hint to ask again and never the news itself, so a bus may lose one in an outage and need not
 * keep any. It carries JSON, and looks into none of it.
 */
export interface EventBus {
  /**
   * Sends an event to all listeners, those of this process included. Returns at once and never throws: what cannot be
   * sent is the bus's to log.
   */
  readonly publish: (event: ServerEvent) => void;
  /**
   * Calls the listener with each event, in the order in which one process published them, until the returned function
   * is called. A listener that throws keeps no other from hearing.
   */
  readonly subscribe: (listener: (event: ServerEvent) => void) => () => void;
}

/** Makes a bus within one process. */
export function createEventBus(): EventBus {
  const listeners = new Set<{ readonly hear: (event: ServerEvent) => void }>();
  return {
    publish(event) {
      for (const { hear } of listeners) {
        try {
          hear(event);
        } catch {
          // It is the listener's own fault, and nobody here can mend it.
        }
      }
    },
    subscribe(hear) {
      const listener = { hear };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const LISTS: readonly unknown[] = ['tools_list_changed', 'prompts_list_changed', 'resources_list_changed'];

/** Whether a message is an event that this version knows; others may come from a newer process on the same bus. */
export function isServerEvent(message: unknown): message is ServerEvent {
  if (typeof message !== 'object' || message === null) {
    return false;
  }
  const { kind, permissions, uri, callerIds, callerId } = message as Readonly<Record<string, unknown>>;
  return kind === 'resource_updated'
    ? typeof uri === 'string' && isTexts(callerIds)
    : kind === 'permissions_changed'
      ? callerId === undefined || typeof callerId === 'string'
      : LISTS.includes(kind) && isTexts(permissions);
}

function isTexts(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((item) => typeof item === 'string'));
}
