import type { Logger } from '@mcp-parts/tool-kit';

import { runProgram } from './lifecycle.ts';
import {
  describeSettings,
  readSettings,
  SettingsError,
  type Settings,
  type SettingValues,
} from './settings.ts';

/** A program that takes its configuration from environment variables. */
export interface Command<S extends Settings> {
  readonly name: string;
  readonly version: string;
  /** One sentence for `--help`. */
  readonly description: string;
  readonly settings: S;
  /** What is wrong with settings that are right one by one, each with the variable's name. @default nothing */
  check?(settings: SettingValues<S>): readonly string[];
  createLogger(settings: SettingValues<S>): Logger;
  /** Runs until the signal aborts. What it opens, it closes. */
  run(
    settings: SettingValues<S>,
    context: { readonly logger: Logger; readonly signal: AbortSignal },
  ): Promise<void>;
}

/** What the operating system gives a program. */
export interface Invocation {
  /** Arguments without node and the script. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a command: `--help` and `--version` print and end; wrong settings end it with exit code 1 and one line
 * on standard error for each; SIGINT and SIGTERM end it cleanly.
 */
export async function runCommand<S extends Settings>(
  command: Command<S>,
  invocation: Invocation,
): Promise<void> {
  const [option] = invocation.argv;
  if (option === '--version') {
    process.stdout.write(`${command.version}\n`);
    return;
  }
  if (option === '--help') {
    process.stdout.write(helpText(command));
    return;
  }
  if (option !== undefined) {
    process.stderr.write(`${command.name}: unknown option ${option}\nTry --help.\n`);
    process.exitCode = 1;
    return;
  }
  let settings: SettingValues<S>;
  try {
    settings = readSettings(command.settings, invocation.environment);
    const problems = command.check?.(settings) ?? [];
    if (problems.length > 0) {
      throw new SettingsError(problems);
    }
  } catch (error) {
    if (!(error instanceof SettingsError)) {
      throw error;
    }
    const lines = error.problems.map((problem) => `  ${problem}\n`).join('');
    process.stderr.write(
      `${command.name} cannot start. Set these environment variables (see --help):\n${lines}`,
    );
    process.exitCode = 1;
    return;
  }
  const logger = command.createLogger(settings);
  await runProgram((signal) => command.run(settings, { logger, signal }), { logger });
}

function helpText(command: Command<Settings>): string {
  return `${command.description}

Usage: ${command.name} [--help | --version]

Configuration is taken from environment variables. A variable NAME can also be given as NAME_FILE, the path
of a file that holds the value.

${describeSettings(command.settings)}
`;
}
