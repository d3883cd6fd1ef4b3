import { parseArgs } from 'node:util';

import { PART_KINDS, type PartKind } from './add-part.ts';
import { PROFILES } from './auth-profile.ts';
import { UsageError, type ProjectOptions } from './project-options.ts';

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'add'; readonly part: PartKind; readonly name: string }
  | { readonly kind: 'create'; readonly install: boolean; readonly options: Partial<ProjectOptions> };

const OPTIONS = {
  transport: { type: 'string' },
  auth: { type: 'string' },
  audit: { type: 'boolean' },
  tasks: { type: 'boolean' },
  redis: { type: 'boolean' },
  'no-install': { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

/** @throws {UsageError} when it asks for nothing that there is. */
export function parseCommandLine(argv: readonly string[]): Request {
  const { values, positionals } = parse(argv);
  if (values.help === true) {
    return { kind: 'help' };
  }
  if (values.version === true) {
    return { kind: 'version' };
  }
  const [first, ...rest] = positionals;
  if (first === 'add') {
    const [part, name, ...more] = rest;
    const known = PART_KINDS.find((kind) => kind === part);
    if (known === undefined || name === undefined || more.length > 0) {
      throw new UsageError(`Say what to add and its name: add ${PART_KINDS.join('|')} NAME`);
    }
    return { kind: 'add', part: known, name };
  }
  if (rest.length > 0) {
    throw new UsageError(`There is one name; got ${positionals.join(' ')}`);
  }
  const { transport, auth, audit, tasks, redis } = values;
  return {
    kind: 'create',
    install: values['no-install'] !== true,
    options: {
      ...(first !== undefined && { name: first }),
      // Checked with everything else, when all is known.
      ...(transport !== undefined && { transport: transport as ProjectOptions['transport'] }),
      ...(auth !== undefined && { auth }),
      ...(values.yes === true && { transport: (transport ?? 'stdio') as ProjectOptions['transport'] }),
      audit,
      tasks,
      redis,
    },
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, allowNegative: false });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** What `--help` prints. */
export const USAGE = `Usage: npm create mcp-parts@latest NAME -- [options]
       npx create-mcp-parts add ${PART_KINDS.join('|')} NAME

Writes an MCP server into the folder NAME, installs what it needs, and says what to do next; or adds a part and its test
to the server in this folder.

Options:
  --transport stdio|http|both  How clients reach it (stdio)
  --auth none|PROVIDER         Whose access tokens it accepts over HTTP (none: this machine only, and read only):
                               ${[...PROFILES.keys()].join(', ')}
  --audit                      Commands that read and verify the audit trail, and where to ship it
  --tasks                      A tool whose work goes on after the answer
  --redis                      Replicas over HTTP share limits, events, tasks and used proofs
  --no-install                 Write the files only
  -y, --yes                    Ask nothing; what is not said is as above
  -h, --help                   Show this text
      --version                Show the version

Exit status:
  0  done
  1  npm could not install, or a file could not be written
  2  wrong usage
`;
