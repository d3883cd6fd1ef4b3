import { randomUUID } from 'node:crypto';

import { createCatalog } from './catalog.ts';
import type { ToolDefinition } from './definitions.ts';
import { RpcError, rpcCodes } from './errors.ts';
import type { JsonObject } from './json.ts';
import { createMethodTable, type MethodTable } from './method-table.ts';
import type { RequestContext } from './run-call.ts';
import type { RuntimeOptions } from './runtime.ts';

/** What only the transport knows about a request. */
export interface RequestOrigin {
  readonly caller: RequestContext['caller'];
  readonly transport: RequestContext['transport'];
  readonly sourceAddress?: string | undefined;
  /** @default a random UUID for each request */
  readonly correlationId?: string | undefined;
}

/** How a binding presents the server and finds out who is calling. */
export interface BindingOptions {
  readonly serverInfo: { readonly name: string; readonly version: string; readonly title?: string };
  /** Told to the model once: what the server is for and in which order to use it. */
  readonly instructions?: string | undefined;
  /**
   * Where a request comes from. `authInfo` is what the transport attached to the request, untouched; it is
   * absent on stdio.
   */
  readonly origin: (authInfo: unknown) => RequestOrigin;
}

/** How a single tool is run on a server that another team already has. */
export interface RegisterToolOptions extends RuntimeOptions {
  readonly origin: (authInfo: unknown) => RequestOrigin;
}

/** The parts of a request that both SDKs have, under one name each. */
export interface SdkRequest {
  readonly era: RequestContext['era'];
  readonly signal: AbortSignal;
  readonly authInfo: unknown;
  readonly client: RequestContext['client'];
}

/**
 * Answers a method with the table's handler.
 *
 * @throws {RpcError} always and only: both SDKs send a thrown error's message to the client word for word.
 */
export async function answer(
  table: MethodTable,
  method: string,
  params: JsonObject,
  sdk: SdkRequest,
  origin: BindingOptions['origin'],
): Promise<JsonObject> {
  const handler = table.methods.get(method);
  if (handler === undefined)
    throw new RpcError(rpcCodes.internalError, 'The call failed for an internal reason.');
  let from: RequestOrigin;
  try {
    from = origin(sdk.authInfo);
  } catch {
    throw new RpcError(rpcCodes.internalError, 'The call failed for an internal reason.');
  }
  return handler(params, {
    caller: from.caller,
    signal: sdk.signal,
    era: sdk.era,
    transport: from.transport,
    client: sdk.client,
    correlationId: from.correlationId ?? randomUUID(),
    sourceAddress: from.sourceAddress,
  });
}

/** The table of a single tool. */
export function tableOf(tool: ToolDefinition, options: RuntimeOptions): MethodTable {
  return createMethodTable(createCatalog({ tools: [tool] }), options);
}
