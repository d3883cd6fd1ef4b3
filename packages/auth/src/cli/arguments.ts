import { parseArgs } from 'node:util';

/** A command line that was read. */
export interface Arguments {
  readonly help: boolean;
  readonly json: boolean;
  readonly positionals: readonly string[];
  readonly get: (name: string) => string | undefined;
}

/**
 * Reads the arguments of a command: the named options with a value, `--json` and `--help`, and at most
 * `maxPositionals` others.
 * @throws {TypeError} naming what is unknown or without its value
 */
export function readArguments(
  argv: readonly string[],
  names: readonly string[],
  maxPositionals: number,
): Arguments {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      ...options,
      json: { type: 'boolean' as const },
      help: { type: 'boolean' as const, short: 'h' },
    },
    allowPositionals: true,
  });
  const [unexpected] = positionals.slice(maxPositionals);
  if (unexpected !== undefined) {
    throw new TypeError(`unexpected argument ${JSON.stringify(unexpected)}`);
  }
  return {
    help: values.help === true,
    json: values.json === true,
    positionals,
    get(name) {
      const value = Object.entries(values).find(([key]) => key === name)?.[1];
      return typeof value === 'string' ? value : undefined;
    },
  };
}

/** @throws {TypeError} naming the option when it was not given */
export function need(value: string | undefined, option: string): string {
  if (value === undefined || value === '') {
    throw new TypeError(`${option} is required`);
  }
  return value;
}
