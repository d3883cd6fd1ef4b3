import { randomUUID } from 'node:crypto';

import { internalFailure, shorten } from '../call/failure/failure.ts';
import type { RequestContext } from '../call/operation.ts';
import { RpcError, rpcCodes } from '../errors.ts';
import type { Channel } from '../exchange/channel.ts';
import type { JsonObject } from '../json.ts';
import type { Logger, TraceContext } from '../ports.ts';
import type { MethodTable, PreparedCall } from './method-table.ts';
import type { SessionChanges } from './session-changes.ts';
import type { SessionTasks } from './session-tasks.ts';

/** What only the transport knows about a request. */
export interface RequestOrigin {
  readonly caller: RequestContext['caller'];
  readonly transport: RequestContext['transport'];
  readonly sourceAddress?: string | undefined;
  /** @default a random UUID for each request */
  readonly correlationId?: string | undefined;
  /** Aborts when the client goes away, for a transport that knows it better. @default the SDK's, for cancellations */
  readonly signal?: AbortSignal | undefined;
  /** The trace that the transport's headers name; what is in the request comes before it. @default none */
  readonly traceContext?: TraceContext | undefined;
  /** The call that the transport has begun with this request. @default it begins here */
  readonly prepared?: PreparedCall | undefined;
}

/** How a binding presents the server and finds out who is calling. */
export interface BindingOptions {
  readonly serverInfo: {
    readonly name: string;
    readonly version: string;
    readonly title?: string | undefined;
  };
  /** Told to the model once: what the server is for and in which order to use it. */
  readonly instructions?: string | undefined;
  /**
   * Where a request comes from. `authInfo` is what the transport attached to the request, untouched; it is
   * absent on stdio.
   */
  readonly origin: (authInfo: unknown) => RequestOrigin;
  /** Told when `origin` throws. @default nothing is logged */
  readonly logger?: Logger | undefined;
}

/** The parts of a request that both SDKs have, under one name each. */
export interface SdkRequest {
  readonly era: RequestContext['era'];
  readonly signal: AbortSignal;
  readonly authInfo: unknown;
  readonly client: RequestContext['client'];
  readonly channel: Channel;
  /** What the session hears, where there is one. @default it is told of nothing that changes */
  readonly session?: SessionChanges | undefined;
  /** The tasks that the session hears of, where there is one. @default it is told of none */
  readonly tasks?: SessionTasks | undefined;
}

/**
 * Answers a method with the table's handler.
 *
 * @throws {RpcError} always and only: both SDKs send a thrown error's message to the client word for word.
 */
export async function handleRequest(
  table: MethodTable,
  method: string,
  params: JsonObject,
  sdk: SdkRequest,
  options: Pick<BindingOptions, 'origin' | 'logger'>,
): Promise<JsonObject> {
  const handler = table.methods.get(method);
  if (handler === undefined) {
    throw new RpcError(rpcCodes.methodNotFound, `Method not found: ${shorten(method)}`);
  }
  const from = originOf(sdk.authInfo, options);
  const request: RequestContext = {
    caller: from.caller,
    signal: from.signal ?? sdk.signal,
    era: sdk.era,
    transport: from.transport,
    client: sdk.client && { name: shorten(sdk.client.name), version: shorten(sdk.client.version) },
    correlationId: from.correlationId ?? randomUUID(),
    sourceAddress: from.sourceAddress,
    traceContext: traceContextOf(sdk.channel.meta) ?? from.traceContext,
    channel: sdk.channel,
    watching: sdk.session?.of(from.caller),
  };
  const answer = await (from.prepared?.run(request) ?? handler(params, request));
  sdk.tasks?.follow(answer, from.caller);
  return answer;
}

/** The trace of the client's own call, below that of its HTTP request (SEP-414). */
function traceContextOf({ traceparent, tracestate }: JsonObject): TraceContext | undefined {
  return typeof traceparent === 'string'
    ? { traceparent, ...(typeof tracestate === 'string' && { tracestate }) }
    : undefined;
}

function originOf(authInfo: unknown, { origin, logger }: Pick<BindingOptions, 'origin' | 'logger'>) {
  try {
    return origin(authInfo);
  } catch (error) {
    const correlationId = randomUUID();
    logger?.error({ err: error, correlationId }, 'origin of a request not known');
    throw new RpcError(rpcCodes.internalError, internalFailure(correlationId, false).message);
  }
}
