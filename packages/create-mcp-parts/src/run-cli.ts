import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { addPart } from './add-part.ts';
import { parseCommandLine, USAGE } from './command-line.ts';
import { createProject } from './create-project.ts';
import { readManifest } from './own-files.ts';
import { UsageError, type ProjectOptions } from './project-options.ts';
import { askForOptions } from './questions.ts';

/** What the operating system gives the program. */
export interface CliContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  /** Where it was called. */
  readonly directory: string;
  /** Installs what a project needs; resolves with the exit status of npm. */
  readonly install: (folder: string) => Promise<number>;
}

/** Runs the command. Resolves with its exit status: 0 done, 1 it failed, 2 wrong usage. Never rejects. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  const { stdout, stderr } = context;
  try {
    const request = parseCommandLine(argv);
    switch (request.kind) {
      case 'help':
        stdout.write(USAGE);
        return 0;
      case 'version':
        stdout.write(`${(await readManifest()).version}\n`);
        return 0;
      case 'add': {
        const written = await addPart(context.directory, request.part, request.name);
        stdout.write(`Wrote ${written.join(', ')}.\n`);
        stdout.write(
          request.part === 'backend'
            ? `Next: put its settings into .env and into the configuration of your clients, then npm install and npm test.\n`
            : `Next: say in ${written[0]} what it does, then npm test.\n`,
        );
        return 0;
      }
      case 'create':
        return await create(request.options, request.install, context);
      default:
        return request satisfies never;
    }
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    stderr.write(`create-mcp-parts: ${line}\n${isUsage ? 'Try --help.\n' : ''}`);
    return isUsage ? 2 : 1;
  }
}

async function create(
  given: Partial<ProjectOptions>,
  install: boolean,
  { stdin, stdout, stderr, directory, ...context }: CliContext,
): Promise<number> {
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true;
  // Who has said how it is reached has chosen; a script is asked nothing.
  const isAsked = isTerminal && (given.name === undefined || given.transport === undefined);
  const options = isAsked
    ? await askForOptions(given, { input: stdin, output: stdout })
    : { name: '', ...given };
  if (options.name === '') {
    throw new UsageError('Say the name of the server: npm create mcp-parts@latest my-server');
  }
  const folder = join(directory, options.name);
  const files = await createProject(folder, options);
  stdout.write(`Wrote ${files.length} files into ${options.name}.\n`);
  if (install) {
    const status = await context.install(folder);
    if (status !== 0) {
      stderr.write(
        `npm could not install (exit status ${status}). Run npm install in ${options.name} again.\n`,
      );
      return 1;
    }
  }
  stdout.write(nextSteps(options, install));
  return 0;
}

function nextSteps({ name, transport, auth }: ProjectOptions, isInstalled: boolean): string {
  const isRemote = transport === 'http' || transport === 'both';
  const steps = [
    `cd ${name}`,
    ...(isInstalled ? [] : ['npm install']),
    'npm test',
    ...(isRemote && auth !== undefined && auth !== 'none' ? ['# put your identity provider into .env'] : []),
    isRemote ? 'npm start' : 'npm run inspect    # or open the folder in Claude Code or VS Code',
  ];
  return `Next:\n${steps.map((step) => `  ${step}\n`).join('')}`;
}
