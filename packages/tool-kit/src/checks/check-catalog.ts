import type { Catalog } from '../catalog/catalog.ts';
import type { ListedPrompt, ListedTool } from '../catalog/listed.ts';
import { checkWhole } from '../check-number.ts';
import type { JsonObject } from '../json.ts';
import type { CatalogProblem, Found } from './catalog-problem.ts';
import { checkName, namesAlike } from './name-checks.ts';
import { checkArguments, checkConstructs } from './schema-checks.ts';

/** What a catalog is measured by. */
export interface CheckOptions {
  /** What the server tells a model once. @default nothing to check */
  readonly instructions?: string | undefined;
  /** Counts what a model pays for a text. @default one token for every 4 characters */
  readonly countTokens?: ((text: string) => number) | undefined;
  /** What the list entry of one tool may cost, in tokens, from 1. @default 500 */
  readonly maxToolTokens?: number | undefined;
  /** What all tools together may cost, in tokens, from 1. @default 6_000 */
  readonly maxListTokens?: number | undefined;
  /** How many tools there may be, from 1. @default 30 */
  readonly maxTools?: number | undefined;
}

function resolveCheckOptions(options: CheckOptions) {
  const { instructions = '', countTokens = roughly } = options;
  const { maxToolTokens = 500, maxListTokens = 6_000, maxTools = 30 } = options;
  for (const [name, value] of Object.entries({ maxToolTokens, maxListTokens, maxTools })) {
    checkWhole(name, value, 1, Number.MAX_SAFE_INTEGER);
  }
  return { instructions, countTokens, maxToolTokens, maxListTokens, maxTools };
}

const roughly = (text: string) => Math.ceil(text.length / 4);

/** Claude Code cuts descriptions and instructions at 4,096; what decides must come long before. */
const MAX_DESCRIPTION = 2_000;
const MAX_INSTRUCTIONS = 4_096;

/**
 * What clients in use would stumble over in what the catalog offers now, as data: a server with problems works, and
 * serves some clients badly. What would break every client, `createCatalog` refuses.
 *
 * @throws {RangeError} naming the option that is out of its range.
 */
export function checkCatalog(catalog: Catalog, options: CheckOptions = {}): readonly CatalogProblem[] {
  const resolved = resolveCheckOptions(options);
  const { countTokens, maxTools, maxListTokens, instructions } = resolved;
  const tools = [...catalog.tools.values()];
  const alike = namesAlike([...catalog.tools.keys()]);
  const costs = tools.map(({ listing }) => countTokens(JSON.stringify(listing)));
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const whole: readonly Found[] = [
    ...problem(tools.length > maxTools, {
      code: 'too_many_tools',
      level: 'warning',
      message: `There are ${tools.length} tools; clients have room for 100 or so of all servers together, and models choose worse among many. Offer at most ${maxTools}, in toolsets.`,
      clients: ['Windsurf', 'VS Code', 'Cursor'],
    }),
    ...problem(total > maxListTokens, {
      code: 'list_costly',
      level: 'warning',
      message: `The list of tools costs a model ${total} tokens on every turn. Shorten descriptions, or offer toolsets; at most ${maxListTokens}.`,
      clients: [],
    }),
    ...problem(instructions.length > MAX_INSTRUCTIONS, {
      code: 'instructions_long',
      level: 'warning',
      message: `The instructions have ${instructions.length} characters, and are cut at ${MAX_INSTRUCTIONS}. The first 512 should stand alone.`,
      clients: ['Claude Code', 'Codex'],
    }),
  ];
  return [
    ...whole.map((found) => ({ kind: 'catalog' as const, name: '', ...found })),
    ...tools.flatMap((tool, index) =>
      [...checkTool(tool, costs[index] ?? 0, resolved), ...optional(alike.get(tool.definition.name))].map(
        (found) => ({ kind: 'tool' as const, name: tool.definition.name, ...found }),
      ),
    ),
    ...[...catalog.resources.values()].flatMap(({ definition }) =>
      checkDescription(definition.description).map((found) => ({
        kind: 'resource' as const,
        name: definition.name,
        ...found,
      })),
    ),
    ...[...catalog.prompts.values()].flatMap((prompt) =>
      checkPrompt(prompt).map((found) => ({
        kind: 'prompt' as const,
        name: prompt.definition.name,
        ...found,
      })),
    ),
  ];
}

function checkTool(
  { definition, listing }: ListedTool,
  cost: number,
  { maxToolTokens }: ReturnType<typeof resolveCheckOptions>,
): readonly Found[] {
  const { name, title, description, annotations } = definition;
  // A listing is made from the tool's own schema, which is an object.
  const input = listing['inputSchema'] as JsonObject;
  const output = listing['outputSchema'] as JsonObject | undefined;
  return [
    ...checkName(name),
    ...checkDescription(description),
    ...problem(title === undefined, {
      code: 'title_missing',
      level: 'warning',
      message: 'Without a title, people who are asked to confirm a call read the name.',
      clients: ['Claude Desktop', 'VS Code'],
    }),
    ...problem(annotations.readOnly && annotations.destructive, {
      code: 'annotations_contradict',
      level: 'warning',
      at: '/annotations',
      message: 'What only reads destroys nothing: clients skip the question for a tool that is readOnly.',
      clients: ['VS Code'],
    }),
    ...checkConstructs(input, '/inputSchema'),
    // A union of what comes back, no provider has to write.
    ...(output === undefined
      ? []
      : checkConstructs(output, '/outputSchema').filter(({ at }) => at?.endsWith('/$ref') === true)),
    ...checkArguments(input, '/inputSchema', description),
    ...problem(cost > maxToolTokens, {
      code: 'tool_costly',
      level: 'warning',
      message: `Its list entry costs a model ${cost} tokens on every turn; at most ${maxToolTokens}. Shorten its description and schemas, or leave the output schema out.`,
      clients: [],
    }),
  ];
}

function checkDescription(description: string): readonly Found[] {
  return problem(description.length > MAX_DESCRIPTION, {
    code: 'description_long',
    level: 'warning',
    at: '/description',
    message: `The description has ${description.length} characters. Clients cut long ones: put what decides first, and use at most ${MAX_DESCRIPTION}.`,
    clients: ['Claude Code', 'Amazon Q'],
  });
}

function checkPrompt({ definition, listing }: ListedPrompt): readonly Found[] {
  const names = listing['arguments'] as readonly { readonly name: string; readonly description?: string }[];
  return [
    ...checkDescription(definition.description),
    ...names.flatMap(({ name, description }, index) =>
      problem(description === undefined, {
        code: 'argument_undescribed',
        level: 'warning',
        at: `/arguments/${index}`,
        message: `Say with describe() what to write for ${name}: people read it when they pick the prompt.`,
        clients: [],
      }),
    ),
  ];
}

function problem(isThere: boolean, found: Found): readonly Found[] {
  return isThere ? [found] : [];
}

function optional(found: Found | undefined): readonly Found[] {
  return found === undefined ? [] : [found];
}
