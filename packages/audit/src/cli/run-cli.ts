import { parseArgs } from 'node:util';

import { anchorCommand } from './anchor.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand } from './export.ts';
import { forgetCommand } from './forget.ts';
import { queryCommand } from './query.ts';
import { renewCommand } from './renew.ts';
import { replayCommand } from './replay.ts';
import { tailCommand } from './tail.ts';
import {
  commandUsage,
  errorText,
  programUsage,
  UsageError,
  type CliContext,
  type Command,
} from './usage/command.ts';
import { verifyCommand } from './verify.ts';

const commands: ReadonlyMap<string, Command> = new Map([
  ['tail', tailCommand],
  ['query', queryCommand],
  ['export', exportCommand],
  ['replay', replayCommand],
  ['verify', verifyCommand],
  ['anchor', anchorCommand],
  ['doctor', doctorCommand],
  ['forget', forgetCommand],
  ['renew', renewCommand],
]);

/** Runs one command line, without the program's name. Returns the exit status; never rejects. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    if (context.signal.aborted) {
      return 0;
    }
    const isUsage = error instanceof UsageError || isParseError(error);
    context.stderr.write(errorText(error instanceof Error ? error.message : String(error), isUsage));
    return isUsage ? 2 : 1;
  }
}

async function dispatch([name, ...rest]: readonly string[], context: CliContext): Promise<number> {
  if (name === undefined) {
    context.stderr.write(programUsage(commands));
    return 2;
  }
  if (name.startsWith('-') || name === 'help') {
    return showAbout(name === 'help' ? ['--help'] : [name, ...rest], context);
  }
  const command = commands.get(name);
  if (command === undefined) {
    throw new UsageError(`There is no command ${name}`);
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    context.stdout.write(commandUsage(name, command));
    return 0;
  }
  return command.run(rest, context);
}

function showAbout(args: string[], { stdout, version }: CliContext): number {
  const { values } = parseArgs({
    args,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
  });
  stdout.write(values.help === true ? programUsage(commands) : `${version}\n`);
  return 0;
}

function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
