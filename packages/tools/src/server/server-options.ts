import { parseArgs } from 'node:util';

import { UsageError, type CommandOption } from '../cli/command.ts';

/** How a server is reached. */
export type ServerTarget =
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** What every command says of the server that it works against. */
export const serverOptions = {
  url: {
    type: 'string',
    value: '<url>',
    description: 'A server that is reached by HTTP.',
  },
  header: {
    type: 'string',
    multiple: true,
    value: '<name: value>',
    description: 'A header of each request; may be repeated.',
  },
  env: {
    type: 'string',
    multiple: true,
    value: '<NAME=value>',
    description: 'A variable of the command; may be repeated.',
  },
  command: {
    type: 'string',
    value: '<command> [argument ...]',
    description:
      'A server that is started and speaks on stdio. Stands last: all that follows is the command.',
  },
} satisfies Record<string, CommandOption>;

type Options = Readonly<Record<string, CommandOption>>;

/**
 * Reads a command line that ends in `--command` and what to start.
 *
 * @throws {UsageError} for a server that is named twice, or badly.
 */
export function parseServerArgs<Own extends Options>(args: readonly string[], own: Own) {
  const at = args.indexOf('--command');
  const before = at === -1 ? args : args.slice(0, at);
  const [command, ...commandArgs] = at === -1 ? [] : args.slice(at + 1);
  const { url, header, env } = serverOptions;
  const { values, positionals } = parseArgs({
    args: [...before],
    allowPositionals: true,
    options: { ...own, url, header, env },
  });
  const shared = values as { url?: string; header?: string[]; env?: string[] };
  return {
    values,
    positionals,
    target: targetOf({ ...shared, command, commandArgs, hasCommand: at !== -1 }),
  };
}

/** @throws {UsageError} when no server is named. */
export function requireTarget(target: ServerTarget | undefined): ServerTarget {
  if (target === undefined) {
    throw new UsageError('Name the server with --url, or with --command and what to start');
  }
  return target;
}

function targetOf(named: {
  readonly url?: string;
  readonly header?: readonly string[];
  readonly env?: readonly string[];
  readonly command: string | undefined;
  readonly commandArgs: readonly string[];
  readonly hasCommand: boolean;
}): ServerTarget | undefined {
  const { url, header = [], env = [], command, commandArgs, hasCommand } = named;
  if (url !== undefined && hasCommand) {
    throw new UsageError('Name the server with --url or with --command, not with both');
  }
  if (hasCommand && command === undefined) {
    throw new UsageError('--command needs what to start');
  }
  if (command !== undefined) {
    return { kind: 'stdio', command, args: commandArgs, env: pairs('--env', env, '=') };
  }
  if (url === undefined) {
    return undefined;
  }
  if (!URL.canParse(url) || !/^https?:/u.test(url)) {
    throw new UsageError(`--url must be an http(s) URL, got ${url}`);
  }
  return { kind: 'http', url, headers: pairs('--header', header, ':') };
}

function pairs(option: string, texts: readonly string[], mark: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf(mark);
      if (at < 1) {
        throw new UsageError(`${option} must have a name and a "${mark}", got ${text}`);
      }
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    }),
  );
}
