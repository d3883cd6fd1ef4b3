import type { Writable } from 'node:stream';
import type { ParseArgsConfig } from 'node:util';

import { shownText, type TableStream } from '../output/terminal.ts';

/** What a command is given of the world. */
export interface CliContext {
  readonly stdout: Writable & TableStream;
  readonly stderr: Writable;
  /** Ends what goes on until it is stopped. */
  readonly signal: AbortSignal;
  /** Wall clock in milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** The version of this package. */
  readonly version: string;
}

/** A wrong command line. `message` is shown as it is. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One option: how `parseArgs` of `node:util` reads it, and what the usage says of it. */
type CommandOption = NonNullable<ParseArgsConfig['options']>[string] & {
  /** What stands for its value, such as `<path>`. */
  readonly value?: string | undefined;
  readonly description: string;
};

/** One command. */
export interface Command {
  /** What it does, in one sentence. */
  readonly summary: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** What it means that it ends with 1. */
  readonly found: string;
  /** Runs it; resolves with the exit status. */
  readonly run: (args: string[], context: CliContext) => Promise<number>;
}

const HELP = ['-h, --help', 'Shows this text.'] as const;
const DONE = ['0', 'done'] as const;
const WRONG_USAGE = ['2', 'wrong usage'] as const;

/** The usage of the program. */
export function programUsage(commands: ReadonlyMap<string, Command>): string {
  const listed = [...commands].map(([name, { summary }]) => [name, summary] as const);
  return [
    'Usage: mcp-audit <command> [options]\n',
    '\nReads the audit trails of MCP servers; only forget and renew change anything.\n',
    section('Commands', listed),
    section('Options', [
      [HELP[0], 'Shows this text; after a command, the usage of that.'],
      ['--version', 'Shows the version.'],
    ]),
    section('Exit status', [DONE, ['1', 'something was found, or the command failed'], WRONG_USAGE]),
  ].join('');
}

/** The usage of one command. */
export function commandUsage(name: string, { summary, options, found }: Command): string {
  const listed = Object.entries(options).map(
    ([option, { short, value, description, default: byDefault }]) => {
      const long = value === undefined ? `--${option}` : `--${option} ${value}`;
      const meaning = typeof byDefault === 'string' ? `${description} Default: ${byDefault}.` : description;
      return [short === undefined ? `    ${long}` : `-${short}, ${long}`, meaning] as const;
    },
  );
  return [
    `Usage: mcp-audit ${name} [options]\n\n${summary}\n`,
    section('Options', [...listed, HELP]),
    section('Exit status', [DONE, ['1', found], WRONG_USAGE]),
  ].join('');
}

/** What is shown of an error: one line, and where to read on when the command line was wrong. */
export function errorText(message: string, isUsage: boolean): string {
  const line = `mcp-audit: ${shownText(message.replaceAll('\n', ' '))}\n`;
  return isUsage ? `${line}Run mcp-audit --help for usage.\n` : line;
}

/**
 * Returns the value of an option that a command cannot do without.
 * @throws {UsageError} when there is none
 */
export function required(option: string, value: string | undefined): string {
  if (value === undefined || value === '') {
    throw new UsageError(`${option} is required`);
  }
  return value;
}

/**
 * Reads a whole number.
 * @throws {UsageError} for anything else
 */
export function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,15}$/u.test(text)) {
    throw new UsageError(`${option} must be a whole number, got ${text}`);
  }
  return Number(text);
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  return `\n${title}:\n${rows.map(([term, meaning]) => `  ${term.padEnd(width)}  ${meaning}\n`).join('')}`;
}
