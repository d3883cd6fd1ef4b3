/** Something that changed on the server and that clients may want to hear of. */
export type ServerEvent =
  | { readonly kind: 'tools_list_changed' | 'prompts_list_changed' | 'resources_list_changed' }
  | { readonly kind: 'resource_updated'; readonly uri: string };

/** Where a server's events are heard. */
export interface ServerEvents {
  /** Calls the listener with each event until the returned function is called. */
  readonly subscribe: (listener: (event: ServerEvent) => void) => () => void;
}

/** A {@link ServerEvents} within one process, and how to tell it. */
export interface EventBus extends ServerEvents {
  readonly publish: (event: ServerEvent) => void;
}

/** Makes an event bus for one process. A listener that throws keeps no other from hearing. */
export function createEventBus(): EventBus {
  const listeners = new Set<(event: ServerEvent) => void>();
  return {
    publish(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          listeners.delete(listener);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
