import type { z } from 'zod';

import { plainNumber } from './kinds/number-setting.ts';
import { readSettingText } from './kinds/setting-text.ts';

/** One environment variable. */
export interface Setting {
  /** For `--help`: what it is, with its unit. */
  readonly description: string;
  /** Parses the text of the variable. A schema that accepts `undefined` makes the variable optional. */
  readonly schema: z.ZodType;
  /** Its value is never shown. @default false */
  readonly secret?: boolean | undefined;
  /**
   * The option of the command line that says the same, without its dashes, and counts before the variable. A switch has no
   * value and means `true`. @default only the variable
   */
  readonly flag?: { readonly name: string; readonly isSwitch: boolean } | undefined;
}

/** Environment variables by name. */
export type Settings = Readonly<Record<string, Setting>>;

/** The parsed values of some settings. */
export type SettingValues<S extends Settings> = { readonly [Name in keyof S]: z.output<S[Name]['schema']> };

/** Environment variables that are missing or wrong; `problems` names every one of them and no value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code = 'invalid_settings';
  readonly publicMessage = 'The server is not set up correctly. Tell its operator.';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`invalid settings: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/**
 * Reads all settings at once. `NAME_FILE` names a file that holds the value of `NAME`, as secrets are
 * mounted; a byte order mark at its start and line breaks at its end do not count. A value that cannot be meant (quotes that
 * an env file left in, a comment, a template without its value) is refused with what to write instead.
 *
 * @throws {SettingsError} naming every variable that is missing, wrong or given twice.
 */
export function readSettings<S extends Settings>(
  settings: S,
  environment: Readonly<Record<string, string | undefined>>,
): SettingValues<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, secret = false }] of Object.entries(settings)) {
    const read = readSettingText(name, environment, secret);
    if ('problem' in read) {
      problems.push(read.problem);
      continue;
    }
    const { text } = read;
    const parsed = schema.safeParse(text);
    if (parsed.success) {
      values[name] = parsed.data;
    } else if (text === undefined) {
      problems.push(`${name} is required`);
    } else {
      const plain = secret ? undefined : plainNumber(name, text);
      const words = parsed.error.issues.map((issue) => issue.message).join(', ');
      problems.push(`${name}: ${words}${plain === undefined ? '' : `, without a unit: write ${plain}`}`);
    }
  }
  if (problems.length > 0) {
    throw new SettingsError(problems);
  }
  // Every name has just been given the output of its schema.
  return values as SettingValues<S>;
}

/** A table of the settings for `--help`, in lines of at most 110 characters. */
export function describeSettings(settings: Settings): string {
  const nameWidth = Math.max(...Object.keys(settings).map((name) => name.length));
  const indent = ' '.repeat(nameWidth + 4);
  return Object.entries(settings)
    .map(([name, { description, schema, secret }]) => {
      const byDefault = schema.safeParse(undefined);
      const note = !byDefault.success
        ? '(required)'
        : byDefault.data === undefined || secret === true
          ? ''
          : `(default: ${JSON.stringify(byDefault.data).replaceAll(/[[\]"]/gu, '')})`;
      // The note stays in one piece.
      const words = [...description.split(' '), ...(note === '' ? [] : [note])];
      const lines = wrap(words, LINE_WIDTH - indent.length);
      return `  ${name.padEnd(nameWidth)}  ${lines.join(`\n${indent}`)}`;
    })
    .join('\n');
}

const LINE_WIDTH = 110;

function wrap(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
