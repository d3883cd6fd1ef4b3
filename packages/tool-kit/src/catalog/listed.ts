import type { z } from 'zod';

import type { Operation } from '../call/operation.ts';
import { MAX_STRING_BYTES, MIN_ANSWER_BYTES } from '../call/pipeline-options.ts';
import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import type { PromptDefinition } from '../definition/define-prompt.ts';
import type { ResourceDefinition } from '../definition/define-resource.ts';
import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import { zodObject } from '../definition/schema/object-schema.ts';
import { checkSchemaVersion } from '../definition/schema/schema-version.ts';
import { listedErrors } from '../definition/words/tool-errors.ts';
import type { JsonObject } from '../json.ts';
import { checkToolLimit } from '../limits/call-limiter.ts';
import { outputPlan, type OutputPlan } from '../output/output-plan.ts';
import { orStarted } from '../tasks/started-schema.ts';
import { checkTexts, FORMER_NAMES_KEY, listingOf } from './listing.ts';
import { completionOperation } from './operations/completion-operation.ts';
import { promptOperation } from './operations/prompt-operation.ts';
import {
  JSON_MIME_TYPE,
  listOperation,
  readOperation,
  subscribeOperation,
} from './operations/resource-operation.ts';
import { toolOperation } from './operations/tool-operation.ts';
import { headerParametersOf, type HeaderParameter } from './schema/header-parameters.ts';
import { jsonSchema } from './schema/json-schema.ts';
import { parseUriTemplate, type UriTemplate } from './uri-template.ts';

/** A definition beside what clients are shown of it. */
export interface Listed<Definition> {
  readonly definition: Definition;
  readonly listing: JsonObject;
  /** In the revisions before 2026-07-28. @default the same */
  readonly listing2025?: JsonObject | undefined;
}

/** A tool, ready to be called. */
export interface ListedTool extends Listed<ToolDefinition | ContentToolDefinition> {
  readonly call: Operation;
  /** The arguments that clients over HTTP repeat in headers. */
  readonly headers: readonly HeaderParameter[];
}

/** A resource or family of resources, ready to be listed, read, watched and completed. */
export interface ListedResource extends Listed<ResourceDefinition> {
  readonly template: UriTemplate;
  readonly list: Operation;
  readonly read: Operation;
  readonly subscribe: Operation;
  readonly complete: Operation;
}

/** A prompt, ready to be got and completed. */
export interface ListedPrompt extends Listed<PromptDefinition> {
  readonly get: Operation;
  readonly complete: Operation;
}

/** Checks a tool and works out all that its calls need. */
export function listedTool(tool: ListedTool['definition']): ListedTool {
  const { name, title, annotations } = tool;
  checkAnnotations(name, annotations);
  if (tool.deadlineMs !== undefined) {
    checkWhole(`tool "${tool.name}": deadlineMs`, tool.deadlineMs, 1, MAX_TIMER_MS);
  }
  if (tool.limit !== undefined) {
    checkToolLimit(`tool "${name}"`, tool.limit);
  }
  if (tool.answerBytes !== undefined) {
    checkWhole(`tool "${tool.name}": answerBytes`, tool.answerBytes, MIN_ANSWER_BYTES, MAX_STRING_BYTES);
  }
  // First, because they refuse what is no schema.
  const inputSchema = jsonSchema(tool, 'input');
  const output = outputPlanOf(tool);
  const tasks = tool.longRunning && (tool.longRunning.taskSupport ?? 'optional');
  const listed = listingOf(`tool "${name}"`, tool);
  const { formerNames = [] } = tool;
  const listing = {
    ...listed,
    ...(formerNames.length > 0 && { _meta: { ...tool.meta, [FORMER_NAMES_KEY]: formerNames } }),
    description: tool.description + listedErrors(tool.errors),
    inputSchema,
    ...(output !== undefined && { outputSchema: listedOutput(output.listed, tasks) }),
    annotations: {
      ...(title !== undefined && { title }),
      readOnlyHint: annotations.readOnly,
      destructiveHint: annotations.destructive,
      idempotentHint: annotations.idempotent,
      openWorldHint: annotations.openWorld,
    },
  };
  return {
    definition: tool,
    call: toolOperation(tool, output),
    headers: headerParametersOf(`tool "${name}"`, inputSchema),
    listing,
    ...((output?.listed2025 !== undefined || tasks !== undefined) && {
      listing2025: { ...listing, ...in2025(output, tasks) },
    }),
  };
}

/** A client that is told nothing takes a tool for the worst, and so does the trail. */
function checkAnnotations(tool: string, annotations: ToolDefinition['annotations'] | undefined): void {
  for (const hint of ['readOnly', 'destructive', 'idempotent', 'openWorld'] as const) {
    // Not every author has a compiler.
    const value: unknown = annotations?.[hint];
    if (typeof value !== 'boolean') {
      throw new TypeError(`tool "${tool}": annotations.${hint} must be true or false, got ${String(value)}`);
    }
  }
}

/** Whether a tool is called as a task; `undefined`: never. */
type TaskSupport = 'optional' | 'required' | undefined;

function listedOutput(schema: JsonObject, tasks: TaskSupport): JsonObject {
  return tasks === 'optional' ? orStarted(schema) : schema;
}

/** What the revisions before 2026-07-28 are shown differently. */
function in2025(output: OutputPlan | undefined, tasks: TaskSupport): JsonObject {
  const outputSchema = output && listedOutput(output.listed2025 ?? output.listed, tasks);
  return {
    ...(outputSchema !== undefined && { outputSchema }),
    // 2025-11-25, basic/utilities/tasks: whether a client may ask for a task.
    ...(tasks !== undefined && { execution: { taskSupport: tasks } }),
  };
}

/** @throws {TypeError} naming the tool, for what JSON Schema or a client cannot express. */
function outputPlanOf(tool: ListedTool['definition']): OutputPlan | undefined {
  return tool.output && outputPlan(jsonSchema(tool, 'output'), tool.whole !== undefined);
}

/** The same for a resource. */
export function listedResource(resource: ResourceDefinition): ListedResource {
  const { uriTemplate, mimeType = JSON_MIME_TYPE, annotations, cache } = resource;
  const kind = `resource "${resource.name}"`;
  checkTexts(kind, { uriTemplate, mimeType });
  if (cache !== undefined) {
    checkWhole(`${kind}: cache.ttlMs`, cache.ttlMs, 0, Number.MAX_SAFE_INTEGER);
  }
  const template = parseUriTemplate(uriTemplate);
  checkSchemaVersion(`resource "${resource.name}": parameters`, resource.parameters);
  const parameters = Object.keys(zodObject(resource.parameters).shape);
  if (parameters.toSorted().join() !== template.variables.toSorted().join()) {
    throw new TypeError(
      `resource "${resource.name}": the template has {${template.variables.join('}, {')}}, the parameters are ${parameters.join(', ')}`,
    );
  }
  return {
    definition: resource,
    template,
    list: listOperation(resource),
    read: readOperation(resource),
    subscribe: subscribeOperation(resource),
    complete: completionOperation(resource),
    listing: {
      ...listingOf(kind, resource),
      uriTemplate,
      mimeType,
      // They are what the protocol has, which is JSON.
      ...(annotations !== undefined && { annotations: annotations as JsonObject }),
    },
  };
}

/** The same for a prompt. */
export function listedPrompt(prompt: PromptDefinition): ListedPrompt {
  const { name } = prompt;
  checkSchemaVersion(`prompt "${name}": arguments`, prompt.arguments);
  const { shape }: { readonly shape: Readonly<Record<string, z.ZodType>> } = zodObject(prompt.arguments);
  return {
    definition: prompt,
    get: promptOperation(prompt),
    complete: completionOperation(prompt),
    listing: {
      ...listingOf(`prompt "${name}"`, prompt),
      arguments: Object.entries(shape).map(([argument, schema]) => argumentListing(name, argument, schema)),
    },
  };
}

function argumentListing(prompt: string, name: string, schema: z.ZodType): JsonObject {
  const { description } = schema;
  if (description !== undefined) {
    checkTexts(`prompt "${prompt}": arguments.${name}`, { description });
  }
  return {
    name,
    ...(description !== undefined && { description }),
    required: !schema.safeParse(undefined).success,
  };
}
