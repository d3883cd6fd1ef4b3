import { randomUUID } from 'node:crypto';

import { authorize } from '../call/authorize.ts';
import type { Watching } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { readOf, type Catalog, type ListName } from '../catalog/catalog.ts';
import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { isVisible } from '../definition/permission.ts';
import type { Caller } from '../ports.ts';
import { createCallerRenewal, type RenewCaller } from './caller-renewal.ts';
import { isSame, Listener, type ListenerParts, type ListenOptions } from './change-listener.ts';
import { isServerEvent, type EventBus, type ServerEvent } from './event-bus.ts';

/** What of a server changes, and who may hear of it. */
export interface ChangeOptions {
  /** Tells this process, and those that share the bus, what changes. @default nobody is told of anything */
  readonly events?: EventBus | undefined;
  /** Whether clients may subscribe to single resources, which `resource_updated` tells of. @default true, with events */
  readonly watchable?: boolean | undefined;
  /** How many resources one session or subscription may watch, from 1 to 10000. @default 100 */
  readonly maxWatchedResources?: number | undefined;
  /** Changes of one thing within so many milliseconds are told as one: 0 to 2147483647. @default 250 */
  readonly changeWindowMs?: number | undefined;
  /**
   * The same caller with the rights of now, asked when somebody's permissions may have changed; rejects when that
   * cannot be found out. @default clients are told to look at all lists again
   */
  readonly renewCaller?: RenewCaller | undefined;
}

/** One client that is told. */
export interface ChangeListener extends Watching {
  /** The same caller has sent another request: tells of the lists that look different to it now. */
  readonly become: (caller: Caller) => void;
  /** Tells it to look at all its lists again: something may have passed it by. */
  readonly lookAgain: () => void;
  /** Frees everything; nothing is told any more. */
  readonly close: () => void;
}

/** Tells clients what changes, each as much as its caller may know. */
export interface ChangeFeed {
  readonly open: (options: ListenOptions) => ChangeListener;
  /**
   * Call it with who sends a request: when the directory says other groups than before, those who listen as the same
   * caller are looked up again.
   */
  readonly seen: (caller: Caller) => void;
  /** How many listen. */
  readonly count: () => number;
}

/** Fills in and checks. @throws {RangeError} naming the option that is out of its range. */
export function resolveChangeOptions(options: ChangeOptions) {
  const { events, watchable = true, maxWatchedResources = 100, changeWindowMs = 250, renewCaller } = options;
  checkWhole('maxWatchedResources', maxWatchedResources, 1, 10_000);
  checkWhole('changeWindowMs', changeWindowMs, 0, MAX_TIMER_MS);
  return { events, watchable, maxWatchedResources, changeWindowMs, renewCaller };
}

const EVENTS = {
  tools: 'tools_list_changed',
  prompts: 'prompts_list_changed',
  resources: 'resources_list_changed',
} as const;
const LISTS: readonly ListName[] = ['tools', 'prompts', 'resources'];

/** Joins a catalog and a bus: what changes in the one is said on the other, and who listens hears of it. */
export function createChangeFeed(
  catalog: Catalog,
  events: EventBus,
  options: ReturnType<typeof resolveChangeOptions>,
  pipeline: ResolvedPipelineOptions,
): ChangeFeed {
  const byCaller = new Map<string, Set<Listener>>();
  let unsubscribe: (() => void) | undefined;
  const parts: ListenerParts = {
    catalog,
    mayHear: (caller, uri) => mayHear(catalog, pipeline, caller, uri),
    windowMs: options.changeWindowMs,
    maxWatched: options.maxWatchedResources,
  };
  const renewal = createCallerRenewal(options.renewCaller, pipeline);

  catalog.onChange((changed) => {
    for (const { list, permissions } of changed) {
      events.publish({ kind: EVENTS[list], permissions });
    }
  });

  function hear(event: ServerEvent): void {
    // It comes from other processes, too, of other versions perhaps.
    if (!isServerEvent(event)) {
      return;
    }
    if (event.kind === 'permissions_changed') {
      renew(event.callerId);
      return;
    }
    for (const listeners of byCaller.values()) {
      for (const listener of listeners) {
        listener.hear(event);
      }
    }
  }

  function renew(callerId: string | undefined): void {
    const ids = callerId === undefined ? [...byCaller.keys()] : [callerId];
    for (const id of ids) {
      for (const listener of byCaller.get(id) ?? []) {
        renewal.renew(listener, () => listener.lookAgain(LISTS));
      }
    }
  }

  return {
    open(listening) {
      const { id } = listening.caller;
      const listener = new Listener(listening, parts);
      const listeners = byCaller.get(id) ?? new Set();
      byCaller.set(id, listeners.add(listener));
      unsubscribe ??= events.subscribe(hear);
      return {
        watch: (uri) => listener.watch(uri),
        unwatch: (uri) => listener.unwatch(uri),
        become: (caller) => listener.become(caller),
        lookAgain: () => listener.lookAgain(LISTS),
        close() {
          listener.close();
          listeners.delete(listener);
          if (listeners.size === 0 && byCaller.get(id) === listeners) {
            byCaller.delete(id);
          }
          if (byCaller.size === 0) {
            unsubscribe?.();
            unsubscribe = undefined;
          }
        },
      };
    },
    seen(caller) {
      for (const listener of byCaller.get(caller.id) ?? []) {
        const { groups, groupsAsOf } = caller;
        const known = listener.caller;
        // Groups that a token names are as old as that token, whichever was sent last.
        if (groupsAsOf !== undefined && known.groupsAsOf !== undefined && !isSame(known.groups, groups)) {
          listener.become({ ...known, groups, groupsAsOf });
          renewal.renew(listener, () => listener.lookAgain(LISTS));
        }
      }
    },
    count: () => [...byCaller.values()].reduce((sum, { size }) => sum + size, 0),
  };
}

/** As for reading, short of reading: the policy decides as it is now. */
async function mayHear(
  catalog: Catalog,
  { authorizer, logger, deadlineMs }: ResolvedPipelineOptions,
  caller: Caller,
  uri: string,
): Promise<boolean> {
  const found = readOf(catalog, uri);
  if (found === undefined || !isVisible(found.resource.definition.permission, caller)) {
    return false;
  }
  const { read } = found.resource;
  const correlationId = randomUUID();
  try {
    const parsed = read.parse(found.parameters);
    const permission = parsed.ok ? read.permissionOf?.(parsed.input, caller) : undefined;
    if (permission === undefined) {
      return false;
    }
    const signal = AbortSignal.timeout(deadlineMs);
    return (await authorize(authorizer, { caller, permission, signal, correlationId, logger })).allowed;
  } catch (error) {
    logger.error({ err: error, correlationId }, 'not known who may hear of a change');
    return false;
  }
}
