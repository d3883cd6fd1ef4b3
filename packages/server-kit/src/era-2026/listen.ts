import type { JsonObject, JsonValue, MethodTable, ServerEvent } from '@mcp-parts/tool-kit';
import { SERVER_INFO_META_KEY, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server';

import { isFault, type ServedRequest } from '../gate/served-request.ts';
import { whenTokenEnds } from '../gate/token-lifetime.ts';
import { encodeMessage, encodeResponse } from '../wire/encode.ts';
import { openEventStream } from '../wire/event-stream.ts';
import { isObject, type RequestMessage, type RpcId } from '../wire/message.ts';
import { answerFault, rpcErrorCodes } from '../wire/rpc-answer.ts';

/** What one subscription hears. */
interface Filter {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
}

/** `subscriptions/listen` (2026-07-28, server/utilities/subscriptions). */
export interface Subscriptions {
  readonly serve: (message: RequestMessage, request: ServedRequest) => void;
  /** Ends every subscription with its result. */
  readonly close: () => void;
}

/** More resources than this in one subscription are none that somebody watches. */
const MAX_WATCHED = 1_000;

/** Serves subscriptions to the events of a table. */
export function createSubscriptions(
  { capabilities, events }: Pick<MethodTable, 'capabilities' | 'events'>,
  serverInfo: JsonObject,
): Subscriptions {
  const open = new Set<() => void>();

  return {
    serve(message, request) {
      const { exchange, accepts, caller } = request;
      const filter = readFilter(message.params?.['notifications'], capabilities);
      if (filter === undefined) {
        answerFault(exchange, message.id, {
          status: 200,
          code: rpcErrorCodes.invalidParams,
          message: '"notifications" must be an object that says what to listen to.',
        });
        return;
      }
      if (!accepts.stream) {
        const words = 'A subscription is a stream: accept text/event-stream.';
        answerFault(exchange, message.id, { status: 406, code: rpcErrorCodes.refused, message: words });
        return;
      }
      const place = request.enterStream(() => end());
      if (isFault(place)) {
        answerFault(exchange, message.id, place);
        return;
      }

      const stream = openEventStream(exchange);
      let isEnded = false;
      const release = () => {
        isEnded = true;
        open.delete(end);
        unsubscribe?.();
        stopWaiting();
        place.leave();
      };
      const end = () => {
        if (isEnded) {
          return;
        }
        release();
        const meta = { [SUBSCRIPTION_ID_META_KEY]: message.id, [SERVER_INFO_META_KEY]: serverInfo };
        stream.send(encodeResponse({ result: { resultType: 'complete', _meta: meta } }, message.id));
        stream.end();
      };
      exchange.onClose(() => {
        if (!isEnded) {
          release();
        }
      });
      stream.send(
        notification('notifications/subscriptions/acknowledged', message.id, {
          notifications: filter as JsonObject,
        }),
      );
      const unsubscribe = events?.subscribe((event) => {
        if (isWanted(filter, event)) {
          stream.send(toNotification(event, message.id));
        }
      });
      const stopWaiting = whenTokenEnds(caller, end);
      open.add(end);
      // Nothing that it asked for can ever happen.
      if (Object.keys(filter).length === 0) {
        end();
      }
    },
    close() {
      for (const end of open) {
        end();
      }
    },
  };
}

/** The part of what was asked for that the server can do; `undefined` when nothing readable was asked for. */
function readFilter(asked: JsonValue | undefined, capabilities: JsonObject): Filter | undefined {
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
  return {
    ...(asked['toolsListChanged'] === true && can('tools', 'listChanged') && { toolsListChanged: true }),
    ...(asked['promptsListChanged'] === true &&
      can('prompts', 'listChanged') && { promptsListChanged: true }),
    ...(asked['resourcesListChanged'] === true &&
      can('resources', 'listChanged') && { resourcesListChanged: true }),
    ...(watched !== undefined &&
      watched.length > 0 &&
      can('resources', 'subscribe') && { resourceSubscriptions: watched }),
  };
}

function isListOfText(value: JsonValue): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_WATCHED &&
    (value as readonly JsonValue[]).every((item) => typeof item === 'string')
  );
}

function isWanted(filter: Filter, event: ServerEvent): boolean {
  switch (event.kind) {
    case 'tools_list_changed':
      return filter.toolsListChanged === true;
    case 'prompts_list_changed':
      return filter.promptsListChanged === true;
    case 'resources_list_changed':
      return filter.resourcesListChanged === true;
    case 'resource_updated':
      return filter.resourceSubscriptions?.includes(event.uri) === true;
    case 'permissions_changed':
      return false;
    default:
      return event satisfies never;
  }
}

function toNotification(event: ServerEvent, id: RpcId): string {
  return event.kind === 'resource_updated'
    ? notification('notifications/resources/updated', id, { uri: event.uri })
    : notification(`notifications/${event.kind.replace('_list_changed', '/list_changed')}`, id, {});
}

function notification(method: string, id: RpcId, params: JsonObject): string {
  return encodeMessage({ method, params: { ...params, _meta: { [SUBSCRIPTION_ID_META_KEY]: id } } });
}
