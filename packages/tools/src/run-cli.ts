import { parseArgs } from 'node:util';

import { commandUsage, programUsage, UsageError, type CliContext, type Command } from './cli/command.ts';
import { toScreen } from './cli/screen.ts';
import { callCommand } from './commands/call.ts';
import { connectCommand } from './commands/connect.ts';
import { devCommand } from './commands/dev.ts';
import { evalCommand } from './commands/eval.ts';
import { fromOpenApiCommand } from './commands/from-openapi.ts';
import { lintCommand } from './commands/lint.ts';
import { lockCommand } from './commands/lock.ts';
import { tokensCommand } from './commands/tokens.ts';

const commands: ReadonlyMap<string, Command> = new Map([
  ['call', callCommand],
  ['lint', lintCommand],
  ['lock', lockCommand],
  ['tokens', tokensCommand],
  ['connect', connectCommand],
  ['from-openapi', fromOpenApiCommand],
  ['dev', devCommand],
  ['eval', evalCommand],
]);

/** Runs one command line, without the program's name. Returns the exit status; never rejects. */
export async function runCli(argv: readonly string[], given: CliContext): Promise<number> {
  const context = { ...given, stdout: toScreen(given.stdout), stderr: toScreen(given.stderr) };
  try {
    return await dispatch(argv, context);
  } catch (error) {
    if (context.signal.aborted) {
      return 0;
    }
    const isUsage = error instanceof UsageError || isParseError(error);
    const message = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
    context.stderr.write(`mcp-tools: ${message}\n${isUsage ? 'Run mcp-tools --help for usage.\n' : ''}`);
    return isUsage ? 2 : 1;
  }
}

async function dispatch([name, ...rest]: readonly string[], context: CliContext): Promise<number> {
  if (name === undefined) {
    context.stderr.write(programUsage(commands));
    return 2;
  }
  if (name.startsWith('-') || name === 'help') {
    const args = name === 'help' ? ['--help'] : [name, ...rest];
    const { values } = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    });
    context.stdout.write(values.help === true ? programUsage(commands) : `${context.version}\n`);
    return 0;
  }
  const command = commands.get(name);
  if (command === undefined) {
    throw new UsageError(`There is no command ${name}`);
  }
  const own = rest.includes('--command') ? rest.slice(0, rest.indexOf('--command')) : rest;
  if (own.includes('--help') || own.includes('-h')) {
    context.stdout.write(commandUsage(name, command));
    return 0;
  }
  return command.run(rest, context);
}

function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
