import { z } from 'zod';

import type { PipelineOptions } from '../call/pipeline-options.ts';
import { createCatalog, type CatalogDefinitions } from '../catalog/catalog.ts';
import type { PromptDefinition } from '../definition/define-prompt.ts';
import type { ResourceDefinition } from '../definition/define-resource.ts';
import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import type { JsonObject } from '../json.ts';
import type { RequestOrigin } from './binding.ts';
import { createMethodTable } from './method-table.ts';

/**
 * How single definitions are run on a server that another team has. Keep one object for all your servers: what is worked
 * out from a definition is kept with it, so that a server for each request costs no more than a table's.
 */
export interface RegisterOptions extends PipelineOptions {
  readonly origin: (authInfo: unknown) => RequestOrigin;
}

/** An argument of a prompt, as it is listed. */
interface PromptArgument {
  readonly name: string;
  readonly description?: string;
  readonly required: boolean;
}

/** What was worked out, by the options and the definition that it was made of; it lives as long as they do. */
const known = new WeakMap<RegisterOptions, WeakMap<object, unknown>>();

function keptWith<Made>(options: RegisterOptions, definition: object, make: () => Made): Made {
  let made = known.get(options);
  if (made === undefined) {
    made = new WeakMap();
    known.set(options, made);
  }
  if (!made.has(definition)) {
    made.set(definition, make());
  }
  // Each definition is registered by the one function for its kind.
  return made.get(definition) as Made;
}

function tableOf(definitions: CatalogDefinitions, options: RegisterOptions) {
  const catalog = createCatalog(definitions);
  return { catalog, table: createMethodTable(catalog, options) };
}

/** As it was listed; the SDKs have types of their own for it. */
function listingOf(entries: ReadonlyMap<string, { readonly listing: JsonObject }>) {
  const [entry] = entries.values();
  const { name: _name, ...listing } = entry?.listing ?? {};
  return listing;
}

/** A schema that lets everything through, so that the pipeline parses, once, and is listed as this. */
function listedAs(schema: JsonObject) {
  // zod puts a schema's metadata into its JSON Schema as it is.
  return z.looseObject({}).meta({ ...schema });
}

/** A tool, as an SDK registers it. */
export function singleTool(tool: ToolDefinition | ContentToolDefinition, options: RegisterOptions) {
  return keptWith(options, tool, () => {
    const { catalog, table } = tableOf({ tools: [tool] }, options);
    // Both are schemas that the catalog has checked.
    const { inputSchema, outputSchema, ...rest } = listingOf(catalog.tools) as Readonly<
      Record<string, JsonObject>
    >;
    return {
      table,
      registration: {
        ...rest,
        inputSchema: listedAs(inputSchema ?? {}),
        // Only objects: what else a tool gives, the older SDK cannot announce.
        ...(outputSchema?.['type'] === 'object' && { outputSchema: listedAs(outputSchema) }),
      },
    };
  });
}

/** A resource or family of resources, as an SDK registers it. */
export function singleResource(resource: ResourceDefinition, options: RegisterOptions) {
  return keptWith(options, resource, () => {
    const { catalog, table } = tableOf({ resources: [resource] }, options);
    const { uriTemplate: _template, ...registration } = listingOf(catalog.resources);
    const [entry] = catalog.resources.values();
    return { table, registration, isFamily: (entry?.template.variables.length ?? 0) > 0 };
  });
}

/** A prompt, as an SDK registers it. */
export function singlePrompt(prompt: PromptDefinition, options: RegisterOptions) {
  return keptWith(options, prompt, () => {
    const { catalog, table } = tableOf({ prompts: [prompt] }, options);
    const { arguments: sent, ...registration } = listingOf(catalog.prompts);
    // Made by the catalog.
    const listed = sent as unknown as readonly PromptArgument[];
    const properties = Object.fromEntries(
      listed.map(({ name, description }) => [
        name,
        { type: 'string', ...(description !== undefined && { description }) },
      ]),
    );
    const required = listed.filter((argument) => argument.required).map(({ name }) => name);
    return {
      table,
      registration,
      arguments: listedAs({ type: 'object', properties, required }),
      // The older SDK takes no schema of the whole.
      argumentShape: Object.fromEntries(listed.map((argument) => [argument.name, anyArgument(argument)])),
    };
  });
}

function anyArgument({ description, required }: PromptArgument): z.ZodType {
  const schema = required ? z.unknown() : z.unknown().optional();
  return description === undefined ? schema : schema.describe(description);
}

/** Every entry of a list that has pages. */
export async function allPages(
  ask: (params: JsonObject) => Promise<JsonObject>,
): Promise<{ readonly resources: readonly JsonObject[] }> {
  const resources: JsonObject[] = [];
  let cursor: JsonObject[string];
  do {
    // oxlint-disable-next-line no-await-in-loop -- Each page names the next.
    const page = await ask(cursor === undefined ? {} : { cursor });
    resources.push(...(page['resources'] as readonly JsonObject[]));
    cursor = page['nextCursor'];
  } while (cursor !== undefined);
  return { resources };
}
