import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { UsageError, type CliContext, type Command } from '../cli/command.ts';
import { clientFormats } from '../clients/client-formats.ts';
import {
  addTo,
  documentOf,
  EntryExists,
  readConfiguration,
  replaceFile,
} from '../clients/configuration-file.ts';
import type { ClientFormat, ServerEntry } from '../clients/entry.ts';
import {
  parseServerArgs,
  requireTarget,
  serverOptions,
  type ServerTarget,
} from '../server/server-options.ts';

const options = {
  client: {
    type: 'string',
    multiple: true,
    value: '<client>',
    description: `Which client: ${[...clientFormats.keys()].join(', ')}; may be repeated. Without it, all are shown.`,
  },
  name: { type: 'string', value: '<name>', description: 'What the client calls the server.' },
  scope: {
    type: 'string',
    value: 'user|project',
    default: 'user',
    description: 'The configuration of the person, or of the project in this folder.',
  },
  'token-from': {
    type: 'string',
    value: '<NAME>',
    description: 'The variable that holds a bearer token for --url. The token itself is never written.',
  },
  'env-from': {
    type: 'string',
    multiple: true,
    value: '<NAME>',
    description:
      'A variable of your environment that --command needs; may be repeated. Its value is never written.',
  },
  write: { type: 'boolean', description: 'Writes it into the configuration; without it, it is shown.' },
  replace: { type: 'boolean', description: 'With --write: also when there is an entry of that name.' },
} as const;

/** `mcp-tools connect`: the configuration of a server for a client. */
export const connectCommand: Command = {
  summary: "Shows or writes a server's configuration for a client, in the client's own format.",
  options: { ...options, ...serverOptions },
  found: 'there is an entry of that name, or the command failed',
  async run(args, context) {
    const { values, target } = parseServerArgs(args, options);
    const {
      client: clients = [],
      name,
      scope,
    } = values as {
      readonly client?: readonly string[];
      readonly name?: string;
      readonly scope: string;
    };
    if (name === undefined || !/^[a-z0-9][a-z0-9-]{0,31}$/u.test(name)) {
      throw new UsageError(
        `--name must have 1 to 32 characters of a-z, 0-9 and -, which every client takes, got ${name}`,
      );
    }
    if (scope !== 'user' && scope !== 'project') {
      throw new UsageError(`--scope must be user or project, got ${scope}`);
    }
    if (values.write === true && clients.length === 0) {
      throw new UsageError('--write needs --client: name the clients to write for');
    }
    const entry: ServerEntry = { name, server: serverOf(requireTarget(target), values, context) };
    let exitStatus = 0;
    for (const [id, format] of chosen(clients)) {
      exitStatus = Math.max(
        exitStatus,
        await connect(
          id,
          format,
          entry,
          {
            scope,
            isNamed: clients.length > 0,
            write: values.write === true,
            replace: values.replace === true,
          },
          context,
        ),
      );
    }
    return exitStatus;
  },
};

interface How {
  readonly scope: 'user' | 'project';
  readonly isNamed: boolean;
  readonly write: boolean;
  readonly replace: boolean;
}

async function connect(
  id: string,
  format: ClientFormat,
  entry: ServerEntry,
  { scope, isNamed, write, replace }: How,
  context: CliContext,
): Promise<number> {
  const { stdout } = context;
  const place = format.paths[scope];
  if (place === undefined) {
    if (isNamed) {
      throw new UsageError(`${format.title} has no configuration of a project`);
    }
    return 0;
  }
  const path = place(context);
  if (!write) {
    stdout.write(`${shown(format, entry, path)}\n`);
    return 0;
  }
  try {
    const text = addTo(await readConfiguration(path), format.additions(entry), format.syntax, replace);
    await replaceFile(path, text);
  } catch (error) {
    if (error instanceof UsageError) {
      throw error;
    }
    const why = error instanceof Error ? error.message : String(error);
    const how = error instanceof EntryExists && format.syntax === 'json' ? ' Replace it with --replace.' : '';
    stdout.write(`${id}: ${path}: ${why}.${how}\n`);
    return 1;
  }
  stdout.write(`${id}: wrote ${path}. ${format.next(entry)}\n`);
  return 0;
}

function shown(format: ClientFormat, entry: ServerEntry, path: string): string {
  try {
    return `# ${format.title}: ${path}\n${documentOf(format.additions(entry), format.syntax)}# ${format.next(entry)}\n`;
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    return `# ${error.message}\n`;
  }
}

function chosen(clients: readonly string[]): readonly (readonly [string, ClientFormat])[] {
  return clients.length === 0
    ? [...clientFormats]
    : clients.map((id) => {
        const format = clientFormats.get(id);
        if (format === undefined) {
          throw new UsageError(`--client must be one of ${[...clientFormats.keys()].join(', ')}, got ${id}`);
        }
        return [id, format] as const;
      });
}

const SECRET_NAME = /TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIAL|_KEY$|^KEY$|AUTH/iu;

function serverOf(
  target: ServerTarget,
  values: Readonly<Record<string, unknown>>,
  { directory, node }: CliContext,
): ServerEntry['server'] {
  const { 'token-from': tokenFrom, 'env-from': envFrom = [] } = values as {
    readonly 'token-from'?: string;
    readonly 'env-from'?: readonly string[];
  };
  for (const name of [...envFrom, ...(tokenFrom === undefined ? [] : [tokenFrom])]) {
    if (!/^[A-Za-z_]\w*$/u.test(name)) {
      throw new UsageError(`a variable must have a name, got ${name}`);
    }
  }
  if (target.kind === 'http') {
    if (Object.keys(target.headers).length > 0) {
      throw new UsageError(
        'A header would be written in clear: name the variable of a token with --token-from',
      );
    }
    return { kind: 'http', url: target.url, tokenFrom };
  }
  const secret = Object.keys(target.env).find((name) => SECRET_NAME.test(name));
  if (secret !== undefined) {
    throw new UsageError(
      `${secret} looks like a secret, and would be written in clear: use --env-from ${secret}`,
    );
  }
  // Clients with a window have no shell's PATH, and start in a folder of their own.
  const absolute = (argument: string) =>
    existsSync(resolve(directory, argument)) ? resolve(directory, argument) : argument;
  return {
    kind: 'stdio',
    command:
      target.command === 'node'
        ? node
        : /[\\/]/u.test(target.command)
          ? absolute(target.command)
          : target.command,
    args: target.args.map((argument) => (argument.startsWith('-') ? argument : absolute(argument))),
    env: target.env,
    envFrom,
  };
}
