import type { Arguments } from './arguments.ts';

/** 0: done; 1: found something; 2: used wrongly, or the question could not be answered. */
export type ExitCode = 0 | 1 | 2;

/** Where a command writes, and what it knows of the world. */
export interface CliContext {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** The version of the package. */
  readonly version: string;
}

/** An option of a command: all but `json` and `help` take a value. */
interface CommandOption {
  /** What stands for the value in the usage. */
  readonly value: string;
  readonly text: string;
}

/** One command of `mcp-auth`. */
export interface Command {
  readonly name: string;
  /** What stands between the name and the options. @default nothing */
  readonly parameter?: string | undefined;
  /** One sentence. */
  readonly summary: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** What exit status 1 means; absent when the command never ends with it. */
  readonly found?: string | undefined;
  readonly run: (given: Arguments, context: CliContext) => Promise<ExitCode>;
}
