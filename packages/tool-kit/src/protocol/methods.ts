import { z } from 'zod';

import { shorten, type CallFailure } from '../call/failure.ts';
import type { Call, CallResult, RequestContext } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { targetOf } from '../call/record-refusal.ts';
import { readOf, type Catalog } from '../catalog/catalog.ts';
import type { CompletionInput } from '../catalog/completion-operation.ts';
import { RpcError, rpcCodes } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { resourceListOperation } from './resource-list.ts';
import { staticListOperation } from './static-list.ts';

/** One MCP method: what its params ask for, and how what comes of that is told. */
export interface Method {
  /** Never throws: what is wrong with the params is a part of the call, which is limited, recorded and measured. */
  readonly callOf: (params: JsonObject) => Call;
  /** @throws {RpcError} for a failure that is no result. */
  readonly answer: (result: CallResult, target: string, era: RequestContext['era']) => JsonObject;
}

type Methods = Readonly<Record<string, Method>>;

/** The methods on tools. */
export function toolMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Methods {
  return {
    'tools/list': listMethod(
      'tools/list',
      staticListOperation('tools/list', 'tools', [...catalog.tools.values()], pipeline),
    ),
    'tools/call': {
      callOf: (params) => namedCall('tools/call', params, (name) => catalog.tools.get(name)?.call),
      // A tool's failure is a result that the model reads; what names no tool is the client's mistake.
      answer(result, name) {
        if (result.ok) {
          return result.result;
        }
        const { kind, code } = result.failure;
        if (kind === 'unknown_target' || code === 'malformed_request') {
          throw rpcError(result.failure);
        }
        const tool = catalog.tools.get(name)?.definition;
        return failureResult(result.failure, tool !== undefined && tool.output === undefined);
      },
    },
  };
}

/** The methods on resources. */
export function resourceMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Methods {
  const templates = [...catalog.resources.values()].filter(({ template }) => template.variables.length > 0);
  return {
    'resources/templates/list': listMethod(
      'resources/templates/list',
      staticListOperation('resources/templates/list', 'resourceTemplates', templates, pipeline),
    ),
    'resources/list': listMethod('resources/list', resourceListOperation(catalog, pipeline)),
    'resources/read': {
      callOf(params) {
        const { uri } = params;
        const method = 'resources/read';
        if (typeof uri !== 'string') {
          return malformedCall(method, params, '"uri" must be a string.');
        }
        const found = readOf(catalog, uri);
        return {
          method,
          target: uri,
          operation: found?.resource.read,
          arguments: found?.parameters,
        };
      },
      answer(result, uri, era) {
        if (result.ok ? result.isFailure : result.failure.kind === 'unknown_target') {
          throw resourceNotFound(uri, era);
        }
        return resultOf(result);
      },
    },
  };
}

/** The methods on prompts. */
export function promptMethods(catalog: Catalog, pipeline: ResolvedPipelineOptions): Methods {
  return {
    'prompts/list': listMethod(
      'prompts/list',
      staticListOperation('prompts/list', 'prompts', [...catalog.prompts.values()], pipeline),
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
  const byTemplate = new Map(
    [...catalog.resources.values()].map((resource) => [resource.definition.uriTemplate, resource]),
  );
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
        const entry = isPrompt ? catalog.prompts.get(ref.name) : byTemplate.get(ref.uri);
        const input: CompletionInput = { argument, known: context.arguments };
        const target = isPrompt ? ref.name : ref.uri;
        return { method, target, operation: entry?.complete, arguments: input };
      },
      answer: resultOf,
    },
  };
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
function resultOf(result: CallResult): JsonObject {
  if (result.ok) {
    return result.result;
  }
  throw rpcError(result.failure);
}

/**
 * A tool's failure, complete in either form that a model may be given: the text, and where no output schema forbids it,
 * the structured content. What a program needs of it is in `_meta` in any case.
 */
function failureResult(failure: CallFailure, mayBeStructured: boolean): JsonObject {
  const { message } = failure;
  const facts = factsOf(failure);
  return {
    content: [{ type: 'text', text: message }],
    ...(mayBeStructured && { structuredContent: { message, ...facts } }),
    isError: true,
    _meta: { [FAILURE]: facts },
  };
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

function rpcError(failure: CallFailure): RpcError {
  const { kind, code, message } = failure;
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
