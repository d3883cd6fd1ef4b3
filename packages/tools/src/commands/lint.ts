import {
  checkCatalog,
  createCatalog,
  defineTool,
  standardSchema,
  type CatalogProblem,
  type CheckOptions,
  type JsonObject,
} from '@mcp-parts/tool-kit';

import type { Command } from '../cli/command.ts';
import { loadTokenizer } from '../server/count-tokens.ts';
import { listOffered, type ListedTool, type Offered } from '../server/offered.ts';
import { openServer } from '../server/open-server.ts';
import { parseServerArgs, requireTarget, serverOptions } from '../server/server-options.ts';

const options = {
  json: { type: 'boolean', description: 'Shows the problems as JSON.' },
} as const;

/** `mcp-tools lint`: what clients in use would stumble over. */
export const lintCommand: Command = {
  summary: 'Names what clients in use would stumble over in what a server offers.',
  options: { ...options, ...serverOptions },
  found: 'there are problems, or the command failed',
  async run(args, context) {
    const { values, target } = parseServerArgs(args, options);
    await using server = await openServer(requireTarget(target), context.version);
    const problems = problemsOf(await listOffered(server.client), { countTokens: await loadTokenizer() });
    context.stdout.write(
      values['json'] === true
        ? `${JSON.stringify(problems, null, 2)}\n`
        : problems.length === 0
          ? 'No problems.\n'
          : problems.map(lineOf).join(''),
    );
    return problems.length === 0 ? 0 : 1;
  },
};

/** A problem that a check of the kit names, or what cannot be said of a definition of the kit. */
export type LintProblem =
  | CatalogProblem
  | {
      readonly kind: 'tool';
      readonly name: string;
      readonly code: 'refused' | 'annotations_missing';
      readonly level: 'error' | 'warning';
      readonly message: string;
      readonly at?: undefined;
      readonly clients: readonly string[];
    };

/** The problems of what a server lists; as the options of `checkCatalog` measure them. */
export function problemsOf(
  { tools, instructions }: Offered,
  checkOptions: CheckOptions = {},
): readonly LintProblem[] {
  const refused: LintProblem[] = [];
  const taken = tools.flatMap((tool) => {
    try {
      const definition = definitionOf(tool);
      createCatalog({ tools: [definition] });
      return [definition];
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      refused.push({ kind: 'tool', name: tool.name, code: 'refused', level: 'error', message, clients: [] });
      return [];
    }
  });
  const silent: readonly LintProblem[] = tools
    .filter(({ annotations }) => annotations === undefined)
    .map(({ name }) => ({
      kind: 'tool',
      name,
      code: 'annotations_missing',
      level: 'warning',
      message: 'Without annotations it counts as destructive and open to the world: say what it does.',
      clients: ['VS Code', 'Claude Desktop'],
    }));
  return [
    ...refused,
    ...silent,
    ...checkCatalog(createCatalog({ tools: taken }), { instructions, ...checkOptions }),
  ];
}

/** A listed tool as a definition, so that the checks of the kit hold for servers that were not made with it. */
function definitionOf(tool: ListedTool) {
  const { annotations = {} } = tool;
  const hint = (name: string, byDefault: boolean) => Boolean(annotations[name] ?? byDefault);
  const shared = {
    name: tool.name,
    description: tool.description ?? '',
    ...(tool.title !== undefined && { title: tool.title }),
    input: listedSchema(tool.inputSchema),
    // The defaults of the protocol: schema.ts, ToolAnnotations.
    annotations: {
      readOnly: hint('readOnlyHint', false),
      destructive: hint('destructiveHint', annotations['readOnlyHint'] !== true),
      idempotent: hint('idempotentHint', false),
      openWorld: hint('openWorldHint', true),
    },
    permission: '',
    handle: () => Promise.reject(new Error('a listed tool is only looked at')),
  };
  return tool.outputSchema === undefined
    ? defineTool(shared)
    : defineTool({ ...shared, output: listedSchema(tool.outputSchema) });
}

function listedSchema(document: JsonObject) {
  return standardSchema<Record<string, unknown>, Record<string, unknown>>({
    '~standard': {
      version: 1,
      vendor: 'listed',
      validate: () => ({ issues: [] }),
      jsonSchema: { input: () => ({ ...document }), output: () => ({ ...document }) },
    },
  });
}

function lineOf({ kind, name, code, level, message, at = '', clients }: LintProblem): string {
  const where = [kind === 'catalog' ? kind : `${kind} ${name}`, at].filter((text) => text !== '').join(' ');
  const who = clients.length === 0 ? '' : ` (${clients.join(', ')})`;
  return `${level} ${code}: ${where}: ${message}${who}\n`;
}
