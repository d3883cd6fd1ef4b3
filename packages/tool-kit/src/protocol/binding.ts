import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import { internalFailure, shorten } from '../call/failure.ts';
import type { RequestContext } from '../call/operation.ts';
import type { PipelineOptions } from '../call/pipeline-options.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { outputPlanOf } from '../catalog/listed.ts';
import { jsonSchema } from '../catalog/schema/json-schema.ts';
import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import { RpcError, rpcCodes } from '../errors.ts';
import type { Channel } from '../exchange/channel.ts';
import type { JsonObject } from '../json.ts';
import type { Logger } from '../ports.ts';
import { createMethodTable, type MethodTable, type PreparedCall } from './method-table.ts';
import type { SessionChanges } from './session-changes.ts';

/** What only the transport knows about a request. */
export interface RequestOrigin {
  readonly caller: RequestContext['caller'];
  readonly transport: RequestContext['transport'];
  readonly sourceAddress?: string | undefined;
  /** @default a random UUID for each request */
  readonly correlationId?: string | undefined;
  /** Aborts when the client goes away, for a transport that knows it better. @default the SDK's, for cancellations */
  readonly signal?: AbortSignal | undefined;
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

/** How a single tool is run on a server that another team already has. */
export interface RegisterToolOptions extends PipelineOptions {
  readonly origin: (authInfo: unknown) => RequestOrigin;
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
    channel: sdk.channel,
    watching: sdk.session?.of(from.caller),
  };
  return from.prepared?.run(request) ?? handler(params, request);
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

/**
 * A single tool as a table, and what `McpServer.registerTool` is told of it: the schemas and annotations as they
 * are listed. The input schema lets everything through, so that the pipeline parses the arguments, once.
 */
export function singleTool(tool: ToolDefinition | ContentToolDefinition, options: PipelineOptions) {
  const { readOnly, destructive, idempotent, openWorld } = tool.annotations;
  const output = outputPlanOf(tool);
  return {
    table: createMethodTable(createCatalog({ tools: [tool] }), options),
    registration: {
      ...(tool.title !== undefined && { title: tool.title }),
      description: tool.description,
      // zod puts a schema's metadata into its JSON Schema as it is.
      inputSchema: z.looseObject({}).meta({ ...jsonSchema(tool, 'input') }),
      // Only objects: what else a tool gives, the older SDK cannot announce.
      ...(output !== undefined &&
        !output.isWrapped && { outputSchema: z.looseObject({}).meta({ ...output.listed }) }),
      annotations: {
        ...(tool.title !== undefined && { title: tool.title }),
        readOnlyHint: readOnly,
        destructiveHint: destructive,
        idempotentHint: idempotent,
        openWorldHint: openWorld,
      },
    },
  };
}
