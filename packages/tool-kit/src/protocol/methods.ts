import { z } from 'zod';

import { shorten, type CallFailure } from '../call/failure/failure.ts';
import {
  sealOperation,
  spanOf,
  type Call,
  type CallResult,
  type RequestContext,
  type Watching,
} from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { targetOf } from '../call/record-refusal.ts';
import { readOf, resourceOfTemplate, toolNamed, type Catalog } from '../catalog/catalog.ts';
import type { ListedResource } from '../catalog/listed.ts';
import type { CompletionInput } from '../catalog/operations/completion-operation.ts';
import { RpcError, rpcCodes, type RpcFault } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { withoutUnseen } from '../visible-text.ts';
import { resourceListOperation } from './resource-list.ts';
import { staticListOperation } from './static-list.ts';

/** One MCP method: what its params ask for, and how what comes of that is told. */
export interface Method {
  /** Never throws: what is wrong with the params is a part of the call, which is limited, recorded and measured. */
  readonly callOf: (params: JsonObject) => Call;
  /** @throws {RpcError} for a failure that is no result. */
  readonly answer: (result: CallResult, target: string, request: RequestContext) => JsonObject;
}

/** Methods by name. */
export type Methods = Readonly<Record<string, Method>>;

/** The methods on tools. */
export function toolMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Methods {
  const { version } = catalog;
  return {
    'tools/list': staticListMethod(
      { method: 'tools/list', member: 'tools', entries: () => [...catalog.tools.values()], version },
      pipeline,
    ),
    'tools/call': {
      callOf: (params) => ({
        ...namedCall('tools/call', params, (name) => toolNamed(catalog.tools, name)?.call),
        wantsTask: params['task'] !== undefined,
      }),
      // A tool's failure is a result that the model reads; what names no tool is the client's mistake.
      answer(result, name, { era }) {
        if (result.ok) {
          return result.result;
        }
        const { kind, code } = result.failure;
        const isFault = PROTOCOL_FAULTS.has(code) || rpcFaultOf(result.failure) !== undefined;
        if (kind === 'unknown_target' || isFault || missesCapability(result.failure, era)) {
          throw rpcError(result.failure, era);
        }
        const tool = toolNamed(catalog.tools, name)?.definition;
        return failureResult(result.failure, tool !== undefined && tool.output === undefined);
      },
    },
  };
}

/** The methods on resources. */
export function resourceMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Methods {
  const { version } = catalog;
  const templates = () =>
    [...catalog.resources.values()].filter(({ template }) => template.variables.length > 0);
  return {
    'resources/templates/list': staticListMethod(
      { method: 'resources/templates/list', member: 'resourceTemplates', entries: templates, version },
      pipeline,
    ),
    'resources/list': listMethod('resources/list', resourceListOperation(catalog, pipeline)),
    'resources/read': {
      callOf: (params) => resourceCall('resources/read', params, catalog, ({ read }) => read),
      answer: resourceAnswer,
    },
  };
}

/** What changes of the resources a client hears of, one by one, in the 2025 era; who asks for them must be told. */
export function watchMethods(catalog: Catalog): Methods {
  return {
    'resources/subscribe': {
      callOf: (params) => resourceCall('resources/subscribe', params, catalog, ({ subscribe }) => subscribe),
      answer(result, uri, request) {
        const answer = resourceAnswer(result, uri, request);
        if (watchingOf(request).watch(uri)) {
          return answer;
        }
        const words = 'You watch as many resources as you may. Unsubscribe from one first.';
        throw new RpcError(rpcCodes.invalidParams, words, { reason: 'too_many_subscriptions' });
      },
    },
    'resources/unsubscribe': {
      callOf: (params) => resourceCall('resources/unsubscribe', params, catalog, () => unsubscribe),
      answer(result, uri, request) {
        // To stop hearing of what was never heard of, or is gone, is no mistake.
        watchingOf(request).unwatch(uri);
        return result.ok || result.failure.kind === 'unknown_target' ? {} : resultOf(result, uri, request);
      },
    },
  };
}

const unsubscribe = sealOperation<unknown, undefined>({
  name: '_other',
  span: spanOf('resources/unsubscribe'),
  parse: () => ({ ok: true, input: undefined }),
  record: () => ({}),
  readOnly: true,
  audited: 'refusals',
  run: () => undefined,
  respond: () => ({ result: {}, isFailure: false }),
});

function watchingOf({ watching }: RequestContext): Watching {
  if (watching === undefined) {
    throw new RpcError(rpcCodes.methodNotFound, 'Method not found');
  }
  return watching;
}

function resourceCall(
  method: string,
  params: JsonObject,
  catalog: Catalog,
  operationOf: (resource: ListedResource) => Call['operation'],
): Call {
  const { uri } = params;
  if (typeof uri !== 'string') {
    return malformedCall(method, params, '"uri" must be a string.');
  }
  const found = readOf(catalog, uri);
  return {
    method,
    target: uri,
    operation: found && operationOf(found.resource),
    arguments: found?.parameters,
  };
}

function resourceAnswer(result: CallResult, uri: string, { era }: RequestContext): JsonObject {
  if (result.ok ? result.isFailure : result.failure.kind === 'unknown_target') {
    throw resourceNotFound(uri, era);
  }
  return resultOf(result, uri, { era });
}

/** The methods on prompts. */
export function promptMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Methods {
  const { version } = catalog;
  return {
    'prompts/list': staticListMethod(
      { method: 'prompts/list', member: 'prompts', entries: () => [...catalog.prompts.values()], version },
      pipeline,
    ),
    'prompts/get': {
      callOf: (params) => namedCall('prompts/get', params, (name) => catalog.prompts.get(name)?.get),
      answer: resultOf,
    },
  };
}

const completionParams = z.object({
  ref: z.union([
    z.object({ type: z.literal('ref/prompt'), name: z.string() }),
    z.object({ type: z.literal('ref/resource'), uri: z.string() }),
  ]),
  argument: z.object({ name: z.string(), value: z.string() }),
  context: z.object({ arguments: z.record(z.string(), z.string()).default({}) }).default({ arguments: {} }),
});

/** `completion/complete` for a variable of a resource or an argument of a prompt. */
export function completionMethods(catalog: Catalog): Methods {
  const method = 'completion/complete';
  return {
    [method]: {
      callOf(sent) {
        const params = completionParams.safeParse(sent);
        if (!params.success) {
          return malformedCall(method, sent, 'Invalid completion request.');
        }
        const { ref, argument, context } = params.data;
        const isPrompt = ref.type === 'ref/prompt';
        const entry = isPrompt ? catalog.prompts.get(ref.name) : resourceOfTemplate(catalog, ref.uri);
        const input: CompletionInput = { argument, known: context.arguments };
        const target = isPrompt ? ref.name : ref.uri;
        return { method, target, operation: entry?.complete, arguments: input };
      },
      answer: resultOf,
    },
  };
}

function staticListMethod(
  list: Parameters<typeof staticListOperation>[0],
  pipeline: ResolvedPipelineOptions,
): Method {
  return listMethod(list.method, staticListOperation(list, pipeline));
}

function listMethod(method: string, operation: Call['operation']): Method {
  return {
    callOf: ({ cursor }) => ({ method, target: '', operation, arguments: cursor }),
    answer: resultOf,
  };
}

function namedCall(method: string, params: JsonObject, find: (name: string) => Call['operation']): Call {
  const { name } = params;
  return typeof name === 'string'
    ? { method, target: name, operation: find(name), arguments: params['arguments'] }
    : malformedCall(method, params, '"name" must be a string.');
}

function malformedCall(method: string, params: JsonObject, malformed: string): Call {
  return { method, target: targetOf(params), operation: undefined, arguments: undefined, malformed };
}

/** The failures of all but tools reach the client as JSON-RPC errors. */
function resultOf(result: CallResult, _target: string, { era }: Pick<RequestContext, 'era'>): JsonObject {
  if (result.ok) {
    return result.result;
  }
  throw rpcError(result.failure, era);
}

/**
 * A tool's failure, complete in either form that a model may be given: the text, and where no output schema forbids it,
 * the structured content. What a program needs of it is in `_meta` in any case.
 */
function failureResult(failure: CallFailure, mayBeStructured: boolean): JsonObject {
  const { message } = failure;
  const facts = factsOf(failure);
  return withoutUnseen({
    content: [{ type: 'text', text: message }],
    ...(mayBeStructured && { structuredContent: { message, ...facts } }),
    isError: true,
    _meta: { [FAILURE]: facts },
  });
}

/** Where a program finds the code of a failure. */
const FAILURE = 'mcp-parts/failure';

function factsOf(failure: CallFailure): JsonObject {
  const { code, nextStep } = failure;
  return {
    code,
    ...(nextStep !== undefined && { nextStep }),
    ...(failure.kind === 'limited' && { retryAfterMs: failure.retryAfterMs }),
  };
}

/** What is wrong with a request around its arguments, and so nothing that a model could mend. */
const PROTOCOL_FAULTS: ReadonlySet<string> = new Set([
  'malformed_request',
  'invalid_request_state',
  'request_state_expired',
]);

/** The later revision has an error of its own for it. */
function missesCapability(failure: CallFailure, era: RequestContext['era']): boolean {
  return era === '2026' && requiredCapabilitiesOf(failure) !== undefined;
}

/** The error of JSON-RPC that a failure is. */
export function rpcFaultOf(failure: CallFailure): RpcFault | undefined {
  return 'rpcFault' in failure ? failure.rpcFault : undefined;
}

function requiredCapabilitiesOf(failure: CallFailure): JsonObject | undefined {
  const required = 'requiredCapabilities' in failure ? failure.requiredCapabilities : undefined;
  return required === undefined || Object.keys(required).length === 0 ? undefined : required;
}

function rpcError(failure: CallFailure, era: RequestContext['era']): RpcError {
  const { kind, code, message } = failure;
  const fault = rpcFaultOf(failure);
  if (fault !== undefined) {
    return new RpcError(fault.code, fault.message, fault.data);
  }
  if (missesCapability(failure, era)) {
    const data = { reason: code, requiredCapabilities: requiredCapabilitiesOf(failure) };
    return new RpcError(rpcCodes.missingClientCapability, message, data);
  }
  const isClientsMistake = kind === 'unknown_target' || kind === 'invalid_input';
  return new RpcError(isClientsMistake ? rpcCodes.invalidParams : rpcCodes.internalError, message, {
    // The code of a hidden target would tell that it exists.
    reason: kind === 'unknown_target' ? kind : code,
    ...(failure.kind === 'limited' && { retryAfterMs: failure.retryAfterMs }),
  });
}

function resourceNotFound(uri: string, era: RequestContext['era']): RpcError {
  // 2025-11-25, server/resources: -32002. 2026-07-28 moved it to -32602.
  const code = era === '2025' ? rpcCodes.resourceNotFound : rpcCodes.invalidParams;
  return new RpcError(code, `Resource not found: ${shorten(uri)}`, { uri: shorten(uri) });
}
