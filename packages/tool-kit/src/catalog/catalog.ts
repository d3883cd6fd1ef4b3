import { z } from 'zod';

import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { withoutPrivacy } from '../definition/argument-privacy.ts';
import type { PromptDefinition } from '../definition/define-prompt.ts';
import type { ResourceDefinition } from '../definition/define-resource.ts';
import type { ToolDefinition } from '../definition/define-tool.ts';
import { zodObject, type ObjectSchema } from '../definition/object-schema.ts';
import { checkSchemaVersion } from '../definition/schema-version.ts';
import type { TaskDefinition } from '../definition/task-definition.ts';
import type { JsonObject } from '../json.ts';
import { parseUriTemplate, type UriTemplate } from './uri-template.ts';

// To compare what each schema makes with a record would cost the compiler a fifth more.
type AnyTool = ToolDefinition<ObjectSchema<unknown, unknown>, ObjectSchema<unknown, unknown>>;

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
}

/** A resource beside its listing and its parsed template. */
export interface ListedResource extends Listed<ResourceDefinition> {
  readonly template: UriTemplate;
}

/** The definitions, checked, with the JSON Schemas and list entries worked out once. */
export interface Catalog {
  readonly tools: ReadonlyMap<string, Listed<ToolDefinition>>;
  readonly resources: ReadonlyMap<string, ListedResource>;
  readonly prompts: ReadonlyMap<string, Listed<PromptDefinition>>;
  readonly tasks: readonly TaskDefinition[];
}

// SEP-986: what every client accepts as a tool's name.
const NAME_PATTERN = /^[A-Za-z0-9_.-]{1,64}$/u;

/**
 * Checks the definitions and computes their JSON Schemas and list entries.
 *
 * @throws {TypeError} naming the definition, for an invalid or repeated name, a repeated URI template,
 * variables and parameters that do not match, a schema of another version of zod, or one that JSON Schema cannot express.
 * @throws {RangeError} naming the tool, for a deadline that is not from 1 to 2147483647 milliseconds.
 */
export function createCatalog(definitions: CatalogDefinitions): Catalog {
  const resources = byName('resource', definitions.resources, listedResource);
  rejectRepeatedTemplates(resources.values());
  return {
    tools: byName('tool', definitions.tools as readonly ToolDefinition[] | undefined, listedTool),
    resources,
    prompts: byName('prompt', definitions.prompts, (prompt) => ({
      definition: prompt,
      listing: promptListing(prompt),
    })),
    tasks: definitions.tasks ?? [],
  };
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

function listedTool(tool: ToolDefinition): Listed<ToolDefinition> {
  if (tool.deadlineMs !== undefined) {
    checkWhole(`tool "${tool.name}": deadlineMs`, tool.deadlineMs, 1, MAX_TIMER_MS);
  }
  return {
    definition: tool,
    listing: {
      name: tool.name,
      title: tool.title,
      description: tool.description,
      inputSchema: jsonSchema(tool, 'input'),
      outputSchema: jsonSchema(tool, 'output'),
      annotations: {
        title: tool.title,
        readOnlyHint: tool.annotations.readOnly,
        destructiveHint: tool.annotations.destructive,
        idempotentHint: tool.annotations.idempotent,
        openWorldHint: tool.annotations.openWorld,
      },
    },
  };
}

function listedResource(resource: ResourceDefinition): ListedResource {
  const template = parseUriTemplate(resource.uriTemplate);
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
    listing: {
      name: resource.name,
      title: resource.title,
      description: resource.description,
      uriTemplate: resource.uriTemplate,
      mimeType: 'application/json',
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

function promptListing(prompt: PromptDefinition): JsonObject {
  checkSchemaVersion(`prompt "${prompt.name}": arguments`, prompt.arguments);
  const { shape }: { readonly shape: Readonly<Record<string, z.ZodType>> } = zodObject(prompt.arguments);
  return {
    name: prompt.name,
    title: prompt.title,
    description: prompt.description,
    arguments: Object.entries(shape).map(([name, schema]) => ({
      name,
      ...(schema.description === undefined ? {} : { description: schema.description }),
      required: !schema.safeParse(undefined).success,
    })),
  };
}

/** The JSON Schema of what a tool takes or gives. */
export function jsonSchema(tool: ToolDefinition, io: 'input' | 'output'): JsonObject {
  checkSchemaVersion(`tool "${tool.name}": ${io}`, tool[io]);
  try {
    // A JSON Schema document is JSON; zod types it more precisely than a wire value needs.
    return z.toJSONSchema(zodObject(tool[io]), {
      target: 'draft-2020-12',
      io,
      override: ({ jsonSchema }) => withoutPrivacy(jsonSchema),
    }) as unknown as JsonObject;
  } catch (cause) {
    throw new TypeError(`tool "${tool.name}": JSON Schema cannot express its ${io}`, { cause });
  }
}
