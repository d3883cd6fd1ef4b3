import { parseArgs } from 'node:util';

import { openOtlp, planOtlp, type Otlp } from '@mcp-parts/observability/otlp';
import type { Logger } from '@mcp-parts/tool-kit';

import { runProgram, type StopSignals } from './lifecycle.ts';
import {
  describeSettings,
  readSettings,
  SettingsError,
  type Settings,
  type SettingValues,
} from './settings.ts';
import { unknownSettings } from './unknown-settings.ts';

/** A program that takes its configuration from environment variables. */
export interface Command<S extends Settings> {
  readonly name: string;
  /** Printed by `--version`, and the first thing that is logged. */
  readonly version: string;
  /** One sentence for `--help`. */
  readonly description: string;
  readonly settings: S;
  /** What is wrong with settings that are right one by one, each with the variable's name. @default nothing */
  readonly check?: ((settings: SettingValues<NoInfer<S>>) => readonly string[]) | undefined;
  /** How long the platform waits between SIGTERM and killing the process, in milliseconds. @default 30_000 */
  readonly terminationGraceMs?: ((settings: SettingValues<NoInfer<S>>) => number) | undefined;
  /**
   * How long whoever sends SIGINT waits before the program is killed, in milliseconds: for servers on stdio, whose clients
   * wait for less than half a second. @default SIGINT is as SIGTERM, and a second signal ends the program at once
   */
  readonly interruptGraceMs?: number | undefined;
  readonly createLogger: (settings: SettingValues<NoInfer<S>>, context: { readonly otlp: Otlp }) => Logger;
  /**
   * Runs until `signal` aborts; where there is an `interruptGraceMs`, `urgent` aborts too when nothing may be waited for.
   * What it opens, it closes.
   */
  readonly run: (
    settings: SettingValues<NoInfer<S>>,
    context: { readonly logger: Logger; readonly otlp: Otlp } & StopSignals,
  ) => Promise<void>;
}

/** What the operating system gives a program. */
export interface Invocation {
  /** Arguments without node and the script. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The exit code of a program that was used wrongly. */
const WRONG_USAGE = 2;

/**
 * Runs a command: `--help` and `--version` print and end; arguments that it does not know and wrong settings end it
 * with exit code 2, these with one line on standard error for each; SIGINT, SIGTERM, SIGHUP and SIGBREAK end it
 * cleanly, with 0. A program that fails ends with 1.
 */
export async function runCommand<S extends Settings>(
  command: Command<S>,
  invocation: Invocation,
): Promise<void> {
  const { name, version } = command;
  const request = parseArguments(invocation.argv, command.settings);
  if ('problem' in request) {
    process.stderr.write(`${name}: ${request.problem}\nTry ${name} --help.\n`);
    process.exitCode = WRONG_USAGE;
    return;
  }
  if (request.help) {
    process.stdout.write(helpText(command));
    return;
  }
  if (request.version) {
    process.stdout.write(`${version}\n`);
    return;
  }
  let settings: SettingValues<S>;
  const environment = { ...invocation.environment, ...request.given };
  try {
    const unknown = [
      ...unknownSettings(command.settings, invocation.environment),
      ...planOtlp(invocation.environment).problems,
    ];
    settings = readAll(command.settings, environment, unknown);
    const problems = [...(command.check?.(settings) ?? []), ...planOtlp(invocation.environment).problems];
    if (problems.length > 0) {
      throw new SettingsError(problems);
    }
  } catch (error) {
    if (!(error instanceof SettingsError)) {
      throw error;
    }
    const lines = error.problems.map((problem) => `  ${problem}\n`).join('');
    process.stderr.write(
      `${name} cannot start. Set these environment variables (see ${name} --help):\n${lines}`,
    );
    process.exitCode = WRONG_USAGE;
    return;
  }
  const otlp = await openOtlp({
    environment: invocation.environment,
    serviceName: name,
    serviceVersion: version,
  });
  const logger = command.createLogger(settings, { otlp });
  logger.info({ version, otlp: [...otlp.signals] }, 'starting');
  const run = async (signals: StopSignals): Promise<void> => {
    try {
      await command.run(settings, { logger, otlp, ...signals });
    } finally {
      await otlp.shutdown();
    }
  };
  await runProgram(run, {
    name,
    logger,
    interruptGraceMs: command.interruptGraceMs,
    terminationGraceMs: command.terminationGraceMs?.(settings),
  });
}

/** Every problem at once: a name that was misspelt is the reason why another one is missing. */
function readAll<S extends Settings>(
  settings: S,
  environment: Invocation['environment'],
  unknown: readonly string[],
): SettingValues<S> {
  let values: SettingValues<S>;
  try {
    values = readSettings(settings, environment);
  } catch (error) {
    throw error instanceof SettingsError ? new SettingsError([...error.problems, ...unknown]) : error;
  }
  if (unknown.length > 0) {
    throw new SettingsError(unknown);
  }
  return values;
}

/** What the command line asks for. */
interface Arguments {
  readonly help: boolean;
  readonly version: boolean;
  /** Settings by the names of their variables. */
  readonly given: Readonly<Record<string, string>>;
}

function parseArguments(
  argv: readonly string[],
  settings: Settings,
): Arguments | { readonly problem: string } {
  const flags = flagsOf(settings);
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        ...Object.fromEntries(
          flags.map(({ flag }) => [flag.name, { type: flag.isSwitch ? 'boolean' : 'string' } as const]),
        ),
      },
    });
    const given: Readonly<Record<string, string | boolean | undefined>> = values;
    return {
      help: values.help === true,
      version: values.version === true,
      given: Object.fromEntries(
        flags.flatMap(({ variable, flag }) => {
          const value = given[flag.name];
          return value === undefined ? [] : [[variable, String(value)]];
        }),
      ),
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function flagsOf(settings: Settings) {
  return Object.entries(settings).flatMap(([variable, { flag }]) =>
    flag === undefined ? [] : [{ variable, flag }],
  );
}

/** One line for each option of the command line. */
function describeFlags(settings: Settings): string {
  const rows = [
    ['-h, --help', 'Shows this text.'],
    ['--version', 'Shows the version.'],
    ...flagsOf(settings).map(({ variable, flag: { name, isSwitch } }) =>
      isSwitch
        ? [`--${name}`, `The same as ${variable}=true.`]
        : [`--${name} ${variable}`, `The same as the variable ${variable}.`],
    ),
  ] as const;
  const width = Math.max(...rows.map(([option = '']) => option.length));
  return rows.map(([option = '', words = '']) => `  ${option.padEnd(width)}  ${words}`).join('\n');
}

function helpText({
  name,
  description,
  settings,
}: Pick<Command<Settings>, 'name' | 'description' | 'settings'>): string {
  return `${description}

Usage: ${name} [options]

Options
${describeFlags(settings)}

Environment variables
${describeSettings(settings)}

A variable NAME can also be given as NAME_FILE: the path of a file that holds the value.

With OTEL_EXPORTER_OTLP_ENDPOINT, traces, metrics and logs are sent to an OpenTelemetry collector by http/protobuf; the
other standard OTEL_ variables count too.

Exit codes: 0 done, 1 failed, 2 wrong usage or environment.
`;
}
