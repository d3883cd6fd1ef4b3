import { DocumentError } from '../document-file.ts';
import { readArguments } from './arguments.ts';
import { check } from './check.ts';
import type { CliContext, ExitCode } from './command.ts';
import { explain } from './explain.ts';
import { review } from './review.ts';
import { commandUsageOf, usageOf } from './usage.ts';

const commands = [check, explain, review];

/** Runs one command line. Never rejects. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  const [name, ...rest] = argv;
  switch (name) {
    case undefined:
      context.writeError(usageOf(commands));
      return 2;
    case '-h':
    case '--help':
      context.write(usageOf(commands));
      return 0;
    case '--version':
      context.write(`${context.version}\n`);
      return 0;
    default:
  }
  try {
    const command = commands.find((known) => known.name === name);
    if (command === undefined) {
      throw new TypeError(`unknown command ${JSON.stringify(name)}`);
    }
    const maxPositionals = command.parameter === undefined ? 0 : 1;
    const given = readArguments(rest, Object.keys(command.options), maxPositionals);
    if (!given.help) {
      return await command.run(given, context);
    }
    context.write(commandUsageOf(command));
    return 0;
  } catch (error) {
    context.writeError(`mcp-auth: ${oneLine(error)}\nRun mcp-auth --help for usage.\n`);
    return 2;
  }
}

function oneLine(error: unknown): string {
  if (error instanceof DocumentError) {
    const [first = '', ...others] = error.problems;
    return others.length === 0 ? first : `${first} (and ${others.length} more)`;
  }
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line;
}
