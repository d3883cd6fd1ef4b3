import { parseArgs } from 'node:util';

/** The options of a command line, all with a value but `json`. */
export function readArguments(
  argv: readonly string[],
  names: readonly string[],
): {
  readonly json: boolean;
  readonly positionals: readonly string[];
  readonly get: (name: string) => string | undefined;
} {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { ...options, json: { type: 'boolean' as const } },
    allowPositionals: true,
  });
  return {
    json: values.json === true,
    positionals,
    get(name) {
      const value = Object.entries(values).find(([key]) => key === name)?.[1];
      return typeof value === 'string' ? value : undefined;
    },
  };
}

/** @throws TypeError naming the option when it was not given */
export function need(value: string | undefined, option: string): string {
  if (value === undefined || value === '') throw new TypeError(`${option} is required; try --help`);
  return value;
}
