import { z } from 'zod';

import type { Operation } from '../call/operation.ts';
import type { Catalog, ListedResource } from '../catalog/catalog.ts';
import type { Completer } from '../definition/call-context.ts';
import type { PromptDefinition } from '../definition/define-prompt.ts';
import type { ResourceListing } from '../definition/define-resource.ts';
import type { ToolDefinition } from '../definition/define-tool.ts';
import { zodObject } from '../definition/object-schema.ts';
import { isHeld } from '../definition/permission.ts';
import type { Permission } from '../definition/permission.ts';
import { RpcError, rpcCodes } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Caller } from '../ports.ts';

/** A tool's answer in the two forms that clients read. */
export interface ToolOutput {
  readonly structuredContent: JsonObject;
  readonly text: string;
  readonly isFailure: boolean;
}

/** `tools/call` on one tool. */
export function callTool(
  tool: ToolDefinition,
  sent: unknown,
): Operation<Record<string, unknown>, ToolOutput> {
  return {
    name: tool.name,
    permission: tool.permission,
    input: zodObject(tool.input),
    arguments: sent ?? {},
    readOnly: tool.annotations.readOnly,
    audited: 'always',
    onUnavailable: tool.onUnavailable,
    deadlineMs: tool.deadlineMs,
    audit: (input) => tool.audit?.(input) ?? {},
    async run(input, context) {
      const output = zodObject(tool.output).parse(await tool.handle(input, context));
      return {
        // The schema has just been checked; what it lets through must be JSON, as it has a JSON Schema.
        structuredContent: output as JsonObject,
        text: tool.text(output, input),
        isFailure: tool.isFailure?.(output) ?? false,
      };
    },
    isFailure: (output) => output.isFailure,
  };
}

/** `resources/list` for one resource or family of resources. */
export function listResources(
  { definition }: ListedResource,
  caller: Caller,
): Operation<unknown, readonly ResourceListing[]> {
  return {
    name: definition.name,
    permission: heldPermission(definition.permission, caller),
    input: z.unknown(),
    arguments: undefined,
    readOnly: true,
    audited: 'refusals',
    run: (_input, context) => definition.list(context),
  };
}

/** `resources/read`; `undefined` when no template has this form. */
export function readResource(
  catalog: Catalog,
  uri: string,
): Operation<Record<string, unknown>, JsonValue | undefined> | undefined {
  for (const { definition, template } of catalog.resources.values()) {
    const parameters = template.match(uri);
    if (parameters === undefined) {
      continue;
    }
    return {
      name: definition.name,
      permission: definition.permission,
      input: zodObject(definition.parameters),
      arguments: parameters,
      readOnly: true,
      audited: 'always',
      audit: (input) => definition.audit?.(input) ?? {},
      run: (input, context) => definition.read(input, context),
      isFailure: (content) => content === undefined,
    };
  }
  return undefined;
}

/** `prompts/get` on one prompt. */
export function renderPrompt(
  prompt: PromptDefinition,
  sent: unknown,
): Operation<Record<string, unknown>, string> {
  return {
    name: prompt.name,
    permission: prompt.permission,
    input: zodObject(prompt.arguments),
    arguments: sent ?? {},
    readOnly: true,
    audited: 'always',
    run: (input) => Promise.resolve(prompt.render(input)),
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

/**
 * `completion/complete` for a variable of a resource or an argument of a prompt. An argument without a
 * completer has no suggestions.
 *
 * @throws {RpcError} -32602 when the reference is malformed.
 */
export function complete(
  catalog: Catalog,
  sent: JsonObject,
  caller: Caller,
): { readonly target: string; readonly operation: Operation<unknown, readonly string[]> | undefined } {
  const params = completionParams.safeParse(sent);
  if (!params.success) {
    throw new RpcError(rpcCodes.invalidParams, 'Invalid completion request.');
  }
  const { ref, argument, context } = params.data;
  const target = ref.type === 'ref/prompt' ? ref.name : ref.uri;
  const definition =
    ref.type === 'ref/prompt'
      ? catalog.prompts.get(ref.name)?.definition
      : [...catalog.resources.values()].find((entry) => entry.definition.uriTemplate === ref.uri)?.definition;
  if (definition === undefined) {
    return { target, operation: undefined };
  }

  const completers: Readonly<Record<string, Completer | undefined>> = definition.complete ?? {};
  return {
    target,
    operation: {
      name: definition.name,
      permission: heldPermission(definition.permission, caller),
      input: z.unknown(),
      arguments: undefined,
      readOnly: true,
      audited: 'refusals',
      run: (_input, callContext) =>
        Object.hasOwn(completers, argument.name)
          ? (completers[argument.name]?.(argument.value, context.arguments, callContext) ??
            Promise.resolve([]))
          : Promise.resolve([]),
    },
  };
}

/** Where the input is not known yet, one of the permissions that the caller holds will do. */
function heldPermission(permission: Permission<never>, caller: Caller): Permission<unknown> {
  if (typeof permission === 'string') {
    return permission;
  }
  const held = permission.anyOf.find((name) => isHeld(name, caller));
  return { anyOf: permission.anyOf, select: () => held ?? permission.anyOf[0] ?? '' };
}
