import type { Readable } from 'node:stream';
import type { ParseArgsConfig } from 'node:util';

import type { Screen } from './screen.ts';

/** What a command is given of the world. */
export interface CliContext {
  readonly stdin: Readable;
  readonly stdout: Screen;
  readonly stderr: Screen;
  /** Ends what goes on until it is stopped. */
  readonly signal: AbortSignal;
  /** The version of this package. */
  readonly version: string;
  /** Where the command was called. */
  readonly directory: string;
  /** The person's home directory. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** The path of the Node that runs. */
  readonly node: string;
}

/** A wrong command line. `message` is shown as it is. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One option: how `parseArgs` of `node:util` reads it, and what the usage says of it. */
export type CommandOption = NonNullable<ParseArgsConfig['options']>[string] & {
  /** What stands for its value, such as `<path>`. */
  readonly value?: string | undefined;
  readonly description: string;
};

/** One command. */
export interface Command {
  /** What it does, in one sentence. */
  readonly summary: string;
  /** What stands after its name, such as `<tool> [json]`. @default nothing */
  readonly operands?: string | undefined;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** What it means that it ends with 1. */
  readonly found: string;
  /** Runs it; resolves with the exit status. */
  readonly run: (args: readonly string[], context: CliContext) => Promise<number>;
}

const HELP = ['-h, --help', 'Shows this text.'] as const;
const DONE = ['0', 'done'] as const;
const WRONG_USAGE = ['2', 'wrong usage'] as const;

/** The usage of the program. */
export function programUsage(commands: ReadonlyMap<string, Command>): string {
  const listed = [...commands].map(([name, { summary }]) => [name, summary] as const);
  return [
    'Usage: mcp-tools <command> [options]\n',
    '\nTries, checks and connects an MCP server.\n',
    section('Commands', listed),
    section('Options', [
      [HELP[0], 'Shows this text; after a command, the usage of that.'],
      ['--version', 'Shows the version.'],
    ]),
    section('Exit status', [DONE, ['1', 'something was found, or the command failed'], WRONG_USAGE]),
  ].join('');
}

/** The usage of one command. */
export function commandUsage(name: string, { summary, operands, options, found }: Command): string {
  const listed = Object.entries(options).map(([option, { value, description, default: byDefault }]) => {
    const long = value === undefined ? `--${option}` : `--${option} ${value}`;
    return [
      long,
      typeof byDefault === 'string' ? `${description} Default: ${byDefault}.` : description,
    ] as const;
  });
  return [
    `Usage: mcp-tools ${name}${operands === undefined ? '' : ` ${operands}`} [options]\n\n${summary}\n`,
    section('Options', [...listed, HELP]),
    section('Exit status', [DONE, ['1', found], WRONG_USAGE]),
  ].join('');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  return `\n${title}:\n${rows.map(([term, meaning]) => `  ${term.padEnd(width)}  ${meaning}\n`).join('')}`;
}
