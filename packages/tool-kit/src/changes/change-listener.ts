import type { Catalog, ListName } from '../catalog/catalog.ts';
import { isVisible } from '../definition/permission.ts';
import type { Caller } from '../ports.ts';
import type { ServerEvent } from './event-bus.ts';

/** What a client is told: that a list looks different now, or that a resource does. */
export type Change = { readonly list: ListName } | { readonly uri: string };

/** What one client wants to hear, and how it is told. */
export interface ListenOptions {
  readonly caller: Caller;
  readonly lists: readonly ListName[];
  /** Called once for several changes of one thing that come at once. What it throws is the client's loss. */
  readonly tell: (change: Change) => void;
  /** Told when the caller may do something else than before, for who keeps one caller for long. @default nobody */
  readonly onRenewed?: ((caller: Caller) => void) | undefined;
}

/** What listeners have in common. */
export interface ListenerParts {
  readonly catalog: Catalog;
  /** Whether the caller may hear of this resource now. Never rejects. */
  readonly mayHear: (caller: Caller, uri: string) => Promise<boolean>;
  /** Changes that come within so many milliseconds are told as one. */
  readonly windowMs: number;
  readonly maxWatched: number;
}

const EVENT_LISTS = {
  tools_list_changed: 'tools',
  prompts_list_changed: 'prompts',
  resources_list_changed: 'resources',
} as const satisfies Record<string, ListName>;

/** One client that listens: what it waits for, and what it is still to be told. Both are bounded. */
export class Listener {
  readonly #options: ListenOptions;
  readonly #parts: ListenerParts;
  readonly #watched = new Set<string>();
  readonly #lists = new Set<ListName>();
  readonly #uris = new Set<string>();
  #caller: Caller;
  #timer: NodeJS.Timeout | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: ListenOptions, parts: ListenerParts) {
    this.#options = options;
    this.#parts = parts;
    this.#caller = options.caller;
  }

  get caller(): Caller {
    return this.#caller;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** `false` when it watches as many as it may. */
  watch(uri: string): boolean {
    if (!this.#watched.has(uri) && this.#watched.size >= this.#parts.maxWatched) {
      return false;
    }
    this.#watched.add(uri);
    return true;
  }

  unwatch(uri: string): void {
    this.#watched.delete(uri);
    this.#uris.delete(uri);
  }

  hear(event: Exclude<ServerEvent, { readonly kind: 'permissions_changed' }>): void {
    if (event.kind !== 'resource_updated') {
      const { permissions } = event;
      if (permissions === undefined || permissions.some((name) => isVisible(name, this.#caller))) {
        this.lookAgain([EVENT_LISTS[event.kind]]);
      }
    } else if (this.#watched.has(event.uri) && event.callerIds?.includes(this.#caller.id) !== false) {
      this.#uris.add(event.uri);
      this.#schedule();
    }
  }

  /** Tells that these lists may look different. */
  lookAgain(lists: readonly ListName[]): void {
    for (const list of lists) {
      if (this.#options.lists.includes(list)) {
        this.#lists.add(list);
        this.#schedule();
      }
    }
  }

  /** The same caller, with the rights of now: tells of the lists that look different to it. */
  become(caller: Caller): void {
    const before = this.#caller;
    if (caller === before) {
      return;
    }
    this.#caller = caller;
    if (!isSame(caller.permissions, before.permissions) || !isSame(shown(caller), shown(before))) {
      const { catalog } = this.#parts;
      const differs = (list: ListName) =>
        [...catalog[list].values()].some(
          ({ definition: { permission } }) => isVisible(permission, caller) !== isVisible(permission, before),
        );
      this.lookAgain(this.#options.lists.filter(differs));
      this.#options.onRenewed?.(caller);
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watched.clear();
    this.#uris.clear();
    this.#lists.clear();
  }

  #schedule(): void {
    if (this.#timer === undefined && !this.#isClosed) {
      const waitMs = Math.max(0, this.#toldAt + this.#parts.windowMs - performance.now());
      this.#timer = setTimeout(() => this.#tellAll(), waitMs);
      this.#timer.unref();
    }
  }

  #tellAll(): void {
    this.#timer = undefined;
    this.#toldAt = performance.now();
    const lists = [...this.#lists];
    const uris = [...this.#uris];
    this.#lists.clear();
    this.#uris.clear();
    for (const list of lists) {
      this.#tell({ list });
    }
    for (const uri of uris) {
      void this.#tellOf(uri);
    }
  }

  /** Who was allowed to watch may not be allowed to hear. */
  async #tellOf(uri: string): Promise<void> {
    const may = await this.#parts.mayHear(this.#caller, uri);
    if (may && this.#watched.has(uri)) {
      this.#tell({ uri });
    }
  }

  #tell(change: Change): void {
    try {
      this.#options.tell(change);
    } catch {
      // A client that cannot be reached hears of nothing; its transport knows why.
    }
  }
}

function shown({ obtainablePermissions = [] }: Caller): readonly string[] {
  return obtainablePermissions;
}

/** Whether two lists of texts are the same. */
export function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((text, index) => text === other[index]));
}
