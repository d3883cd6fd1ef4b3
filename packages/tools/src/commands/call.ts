import { UsageError, type Command } from '../cli/command.ts';
import { openServer } from '../server/open-server.ts';
import { parseServerArgs, requireTarget, serverOptions } from '../server/server-options.ts';

const options = {
  json: { type: 'boolean', description: 'Shows the whole result as JSON, not what a model reads of it.' },
} as const;

/** `mcp-tools call`: calls one tool. */
export const callCommand: Command = {
  summary:
    'Calls one tool, and shows what a model reads of the answer: the text, and the structured content.',
  operands: '<tool> [arguments as JSON]',
  options: { ...options, ...serverOptions },
  found: 'the tool reported a failure, or the command failed',
  async run(args, context) {
    const { values, positionals, target } = parseServerArgs(args, options);
    const [name, sent = '{}'] = positionals;
    if (name === undefined) {
      throw new UsageError('Name the tool to call');
    }
    await using server = await openServer(requireTarget(target), context.version);
    const result = await server.client.callTool(
      { name, arguments: argumentsOf(sent) },
      { signal: context.signal },
    );
    context.stdout.write(values['json'] === true ? `${JSON.stringify(result, null, 2)}\n` : shown(result));
    return result.isError === true ? 1 : 0;
  },
};

interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: unknown;
}

/** Both forms of an answer, as a model would be handed one of them. */
export function shown({ content, structuredContent }: ToolResult): string {
  const blocks = content.map((block) => (block.type === 'text' ? block.text : JSON.stringify(block)));
  const structured = structuredContent === undefined ? [] : ['', JSON.stringify(structuredContent, null, 2)];
  return `${[...blocks, ...structured].join('\n')}\n`;
}

/** @throws {UsageError} for what is no JSON object. */
export function argumentsOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`The arguments must be JSON, got ${text}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`The arguments must be a JSON object, got ${text}`);
  }
  return value as Record<string, unknown>;
}
