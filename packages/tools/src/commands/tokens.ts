import { UsageError, type Command } from '../cli/command.ts';
import { loadTokenizer } from '../server/count-tokens.ts';
import { listOffered } from '../server/offered.ts';
import { openServer } from '../server/open-server.ts';
import { parseServerArgs, requireTarget, serverOptions } from '../server/server-options.ts';

const options = {
  max: { type: 'string', value: '<tokens>', description: 'Ends with 1 when the list of tools costs more.' },
  json: { type: 'boolean', description: 'Shows the figures as JSON.' },
} as const;

/** `mcp-tools tokens`: what a model pays for the list of tools. */
export const tokensCommand: Command = {
  summary:
    'Counts what a model pays for each tool on every turn, in tokens of o200k_base: the whole list entry, and what most clients hand it of that.',
  options: { ...options, ...serverOptions },
  found: 'the list costs more than --max, or the command failed',
  async run(args, context) {
    const { values, target } = parseServerArgs(args, options);
    const { max } = values as { readonly max?: string };
    if (max !== undefined && !/^\d{1,9}$/u.test(max)) {
      throw new UsageError(`--max must be a number of tokens, got ${max}`);
    }
    await using server = await openServer(requireTarget(target), context.version);
    const { tools, instructions = '' } = await listOffered(server.client);
    const countTokens = await loadTokenizer();
    const tokensOf = (value: unknown) => countTokens(JSON.stringify(value));
    const rows = tools.map((tool) => {
      const { name, description, inputSchema } = tool;
      return {
        name,
        listed: tokensOf(tool),
        forModels: tokensOf({ name, description, inputSchema }),
      };
    });
    const total = {
      listed: rows.reduce((sum, { listed }) => sum + listed, 0),
      forModels: rows.reduce((sum, { forModels }) => sum + forModels, 0),
      instructions: instructions === '' ? 0 : countTokens(instructions),
    };
    context.stdout.write(
      values['json'] === true ? `${JSON.stringify({ tools: rows, total }, null, 2)}\n` : table(rows, total),
    );
    return max !== undefined && total.listed > Number(max) ? 1 : 0;
  },
};

interface Row {
  readonly name: string;
  readonly listed: number;
  readonly forModels: number;
}

function table(rows: readonly Row[], total: Omit<Row, 'name'> & { readonly instructions: number }): string {
  const all = [...rows.toSorted((a, b) => b.listed - a.listed), { name: 'all tools', ...total }];
  const width = Math.max(...all.map(({ name }) => name.length), 'instructions'.length) + 2;
  const line = (name: string, listed: number | string, forModels: number | string) =>
    `${name.padEnd(width)}${String(listed).padStart(8)}${String(forModels).padStart(12)}\n`;
  return [
    line('tokens of', 'listed', 'for models'),
    ...all.map(({ name, listed, forModels }) => line(name, listed, forModels)),
    line('instructions', total.instructions, ''),
  ].join('');
}
