import {
  notificationOf,
  RpcError,
  type Change,
  type JsonObject,
  type JsonValue,
  type ListName,
  type MethodTable,
  type RequestContext,
  type Watching,
} from '@mcp-parts/tool-kit';
import {
  CLIENT_CAPABILITIES_META_KEY,
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
} from '@modelcontextprotocol/server';

import type { OutgoingMessage } from '../wire/encode.ts';
import { isObject, type RpcId } from '../wire/message.ts';
import { rpcErrorCodes } from '../wire/rpc-answer.ts';

/** What a client asks to hear of. */
export interface Wanted {
  readonly lists: readonly ListName[];
  readonly uris: readonly string[];
  /** SEP-2663, of a client that has declared tasks. */
  readonly taskIds: readonly string[];
}

/** Whom a subscription is for, and how it is told. */
export interface SubscriptionOptions {
  /** Of the request that opened it. */
  readonly id: RpcId;
  readonly wanted: Wanted;
  /** Who asks, and from where; its signal ends what is asked for the subscription. */
  readonly request: RequestContext;
  readonly serverInfo: JsonObject;
  readonly send: (message: OutgoingMessage) => void;
  /** Called once, when it has ended by itself or by `end`. */
  readonly onEnded: () => void;
}

/** One `subscriptions/listen` that is open (2026-07-28, server/utilities/subscriptions). */
export interface Subscription {
  /** Ends it with its result. */
  readonly end: () => void;
  /** Forgets it: its client is gone. */
  readonly close: () => void;
}

const FILTERS = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
} as const satisfies Record<ListName, string>;
const LISTS: readonly ListName[] = ['tools', 'prompts', 'resources'];

/** More than anybody may watch. */
const MAX_ASKED = 1_000;
/** Whoever may not read a resource is not told of it: so many are tried at once. */
const ASKED_AT_ONCE = 8;

/** The part of what was asked for that the server can do; `undefined` when nothing readable was asked for. */
export function readWanted(asked: JsonValue | undefined, capabilities: JsonObject): Wanted | undefined {
  if (!isObject(asked)) {
    return undefined;
  }
  const can = (area: string, ability: string) => {
    const offered = capabilities[area];
    return isObject(offered) && offered[ability] === true;
  };
  const watched = asked['resourceSubscriptions'];
  if (watched !== undefined && !isListOfText(watched)) {
    return undefined;
  }
  const tasks = asked['taskIds'];
  if (tasks !== undefined && !isListOfText(tasks)) {
    return undefined;
  }
  return {
    taskIds: [...new Set(tasks)],
    lists: LISTS.filter((list) => asked[FILTERS[list]] === true && can(list, 'listChanged')),
    uris: watched !== undefined && can('resources', 'subscribe') ? [...new Set(watched)] : [],
  };
}

/** Opens a subscription. The first message says what of it is honoured. */
export function openSubscription(
  { changes, methods, watchTask }: Pick<MethodTable, 'changes' | 'methods' | 'watchTask'>,
  options: SubscriptionOptions,
): Subscription {
  const { id, wanted, request, send } = options;
  const { lists } = wanted;
  /** What has changed before the client was told what it will hear of. */
  let early: Change[] | undefined = [];
  let isEnded = false;
  const stopWatching: (() => void)[] = [];
  /** The last that happened to each task before the client was told what it will hear of. */
  const earlyTasks = new Map<string, JsonObject>();
  const listener = changes?.open({
    caller: request.caller,
    lists,
    tell(change) {
      if (early === undefined) {
        tell(change);
      } else {
        early.push(change);
      }
    },
  });
  acknowledge().catch(fail);

  async function acknowledge(): Promise<void> {
    // Never before the caller has what this function returns.
    const watched = await (listener === undefined ? [] : watch(wanted.uris, listener));
    const followed = await follow(wanted.taskIds);
    if (isEnded) {
      stopWatching.forEach((stop) => stop());
      return;
    }
    const notifications = {
      ...Object.fromEntries(lists.map((list) => [FILTERS[list], true])),
      ...(watched.length > 0 && { resourceSubscriptions: watched }),
      ...(followed.length > 0 && { taskIds: followed }),
    };
    notify('notifications/subscriptions/acknowledged', { notifications });
    for (const change of early ?? []) {
      tell(change);
    }
    early = undefined;
    for (const task of earlyTasks.values()) {
      notify('notifications/tasks', task);
    }
    // Nothing that it asked for can ever happen.
    if (lists.length === 0 && watched.length === 0 && followed.length === 0) {
      end();
    }
  }

  /** Those that are the caller's own. */
  async function follow(ids: readonly string[]): Promise<readonly string[]> {
    const own: string[] = [];
    for (const taskId of ids) {
      // oxlint-disable-next-line no-await-in-loop -- A few, of a store that is near.
      const stop = await watchTask?.(taskId, request, (task) => {
        if (early === undefined) {
          notify('notifications/tasks', task);
        } else {
          earlyTasks.set(taskId, task);
        }
      });
      if (stop !== undefined) {
        own.push(taskId);
        stopWatching.push(stop);
      }
    }
    return own;
  }

  /** Those that the client may watch. */
  async function watch(uris: readonly string[], watching: Watching): Promise<readonly string[]> {
    const honoured = new Set<string>();
    const left = [...uris];
    const subscribe = methods.get('resources/subscribe');
    const work = async () => {
      for (let uri = left.shift(); uri !== undefined; uri = left.shift()) {
        try {
          request.signal.throwIfAborted();
          // oxlint-disable-next-line no-await-in-loop -- Several of these run, and not more.
          await subscribe?.({ uri }, { ...request, watching });
          honoured.add(uri);
        } catch (error) {
          if (request.signal.aborted) {
            return;
          }
          if (!(error instanceof RpcError)) {
            throw error;
          }
          // It is left out of what is honoured, as one that does not exist.
        }
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, work));
    return uris.filter((uri) => honoured.has(uri));
  }

  function tell(change: Change): void {
    const { method, params } = notificationOf(change);
    notify(method, params);
  }

  function notify(method: string, params: JsonObject): void {
    send({ method, params: { ...params, _meta: { [SUBSCRIPTION_ID_META_KEY]: id } } });
  }

  function close(): void {
    isEnded = true;
    listener?.close();
    stopWatching.forEach((stop) => stop());
  }

  function end(): void {
    if (!isEnded) {
      close();
      const _meta = { [SUBSCRIPTION_ID_META_KEY]: id, [SERVER_INFO_META_KEY]: options.serverInfo };
      send({ id, result: { resultType: 'complete', _meta } });
      options.onEnded();
    }
  }

  /** What it asks for could not be looked up: a store of tasks is away, for example. */
  function fail(): void {
    if (!isEnded) {
      close();
      send({ id, error: { code: rpcErrorCodes.internalError, message: FAILED } });
      options.onEnded();
    }
  }

  return { end, close };
}

const FAILED = 'The subscription could not be opened. Try again later.';

/** SEP-2663: whoever listens to tasks says that it knows them. */
export function lacksTasks({ taskIds }: Wanted, params: JsonObject | undefined): boolean {
  const meta = params?.['_meta'];
  const capabilities = isObject(meta) ? meta[CLIENT_CAPABILITIES_META_KEY] : undefined;
  const extensions = isObject(capabilities) ? capabilities['extensions'] : undefined;
  return taskIds.length > 0 && !(isObject(extensions) && Object.hasOwn(extensions, TASKS_EXTENSION));
}

const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** What such a client is told. */
export const TASKS_REQUIRED = {
  message: `Declare the extension ${TASKS_EXTENSION} to listen to tasks.`,
  data: { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
} as const;

function isListOfText(value: JsonValue): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_ASKED &&
    (value as readonly JsonValue[]).every((item) => typeof item === 'string')
  );
}
