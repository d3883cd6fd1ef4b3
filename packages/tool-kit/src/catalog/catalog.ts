import type { z } from 'zod';

import type { Operation } from '../call/operation.ts';
import { MAX_STRING_BYTES, MIN_ANSWER_BYTES } from '../call/pipeline-options.ts';
import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import type { PromptDefinition } from '../definition/define-prompt.ts';
import type { ResourceDefinition } from '../definition/define-resource.ts';
import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import { zodObject, type ArgumentSchema, type ValueSchema } from '../definition/object-schema.ts';
import { checkSchemaVersion } from '../definition/schema-version.ts';
import type { TaskDefinition } from '../definition/task-definition.ts';
import { listedErrors } from '../definition/tool-errors.ts';
import type { JsonObject } from '../json.ts';
import { checkToolLimit } from '../limits/call-limiter.ts';
import { outputPlan, type OutputPlan } from '../output/output-plan.ts';
import { completionOperation } from './completion-operation.ts';
import { jsonSchema } from './json-schema.ts';
import { checkTexts, listingOf } from './listing.ts';
import { promptOperation } from './prompt-operation.ts';
import { JSON_MIME_TYPE, listOperation, readOperation } from './resource-operation.ts';
import { toolOperation } from './tool-operation.ts';
import { parseUriTemplate, type UriTemplate } from './uri-template.ts';

export { jsonSchema };

// To compare what each schema makes with a record would cost the compiler a fifth more.
type AnyTool =
  | ToolDefinition<ArgumentSchema<unknown, unknown>, ValueSchema>
  | ContentToolDefinition<ArgumentSchema<unknown, unknown>>;

/** Everything that a server offers. */
export interface CatalogDefinitions {
  readonly tools?: readonly AnyTool[] | undefined;
  readonly resources?: readonly ResourceDefinition[] | undefined;
  readonly prompts?: readonly PromptDefinition[] | undefined;
  /** The kinds of work that the tools start. */
  readonly tasks?: readonly TaskDefinition[] | undefined;
}

/** A definition beside what clients are shown of it. */
export interface Listed<Definition> {
  readonly definition: Definition;
  readonly listing: JsonObject;
  /** In the revisions before 2026-07-28. @default the same */
  readonly listing2025?: JsonObject | undefined;
}

/** A tool, ready to be called. */
interface ListedTool extends Listed<ToolDefinition | ContentToolDefinition> {
  readonly call: Operation;
}

/** A resource or family of resources, ready to be listed, read and completed. */
export interface ListedResource extends Listed<ResourceDefinition> {
  readonly template: UriTemplate;
  readonly list: Operation;
  readonly read: Operation;
  readonly complete: Operation;
}

/** A prompt, ready to be got and completed. */
interface ListedPrompt extends Listed<PromptDefinition> {
  readonly get: Operation;
  readonly complete: Operation;
}

/** The definitions, checked, with all that a call needs of them worked out once: a call only runs it. */
export interface Catalog {
  readonly tools: ReadonlyMap<string, ListedTool>;
  readonly resources: ReadonlyMap<string, ListedResource>;
  readonly prompts: ReadonlyMap<string, ListedPrompt>;
  readonly tasks: readonly TaskDefinition[];
}

// SEP-986: what every client accepts as a tool's name.
const NAME_PATTERN = /^[A-Za-z0-9_.-]{1,64}$/u;

/**
 * Checks the definitions and works out, once, their list entries, parsers and what of their arguments is recorded.
 *
 * @throws {TypeError} naming the definition, for an invalid or repeated name, a text that is empty or cannot be seen, a
 * repeated URI template, variables and parameters that do not match, a schema of another version of zod, or one that
 * JSON Schema cannot express or clients refuse.
 * @throws {RangeError} naming the tool, for a deadline, a limit or a budget that is out of its range.
 */
export function createCatalog(definitions: CatalogDefinitions): Catalog {
  const resources = byName('resource', definitions.resources, listedResource);
  rejectRepeatedTemplates(resources.values());
  return {
    tools: byName('tool', definitions.tools as readonly ListedTool['definition'][] | undefined, listedTool),
    resources,
    prompts: byName('prompt', definitions.prompts, listedPrompt),
    tasks: definitions.tasks ?? [],
  };
}

/** The resource that a URI names, and the parameters in it. */
export function readOf(catalog: Catalog, uri: string) {
  for (const resource of catalog.resources.values()) {
    const parameters = resource.template.match(uri);
    if (parameters !== undefined) {
      return { resource, parameters };
    }
  }
  return undefined;
}

function byName<Definition extends { readonly name: string }, Entry>(
  kind: string,
  definitions: readonly Definition[] | undefined,
  toEntry: (definition: Definition) => Entry,
): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const definition of definitions ?? []) {
    if (!NAME_PATTERN.test(definition.name)) {
      throw new TypeError(`${kind} "${definition.name}": a name has 1-64 characters of A-Z a-z 0-9 _ - .`);
    }
    if (entries.has(definition.name)) {
      throw new TypeError(`${kind} "${definition.name}" is defined twice`);
    }
    entries.set(definition.name, toEntry(definition));
  }
  return entries;
}

function listedTool(tool: ListedTool['definition']): ListedTool {
  const { name, title, annotations } = tool;
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
  const listed = listingOf(`tool "${name}"`, tool);
  const listing = {
    ...listed,
    description: tool.description + listedErrors(tool.errors),
    inputSchema,
    ...(output !== undefined && { outputSchema: output.listed }),
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
    listing,
    ...(output?.listed2025 !== undefined && {
      listing2025: { ...listing, outputSchema: output.listed2025 },
    }),
  };
}

/** @throws {TypeError} naming the tool, for what JSON Schema or a client cannot express. */
export function outputPlanOf(tool: ListedTool['definition']): OutputPlan | undefined {
  return tool.output && outputPlan(jsonSchema(tool, 'output'), tool.whole !== undefined);
}

function listedResource(resource: ResourceDefinition): ListedResource {
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

function rejectRepeatedTemplates(resources: Iterable<ListedResource>): void {
  const seen = new Set<string>();
  for (const { definition } of resources) {
    if (seen.has(definition.uriTemplate)) {
      throw new TypeError(
        `resource "${definition.name}": the template ${definition.uriTemplate} occurs twice`,
      );
    }
    seen.add(definition.uriTemplate);
  }
}

function listedPrompt(prompt: PromptDefinition): ListedPrompt {
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
