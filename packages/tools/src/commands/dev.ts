import { spawn, type ChildProcess } from 'node:child_process';
import { watch } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { UsageError, type CliContext, type Command } from '../cli/command.ts';
import { listOffered } from '../server/offered.ts';
import { openServer, type OpenServer } from '../server/open-server.ts';
import {
  parseServerArgs,
  requireTarget,
  serverOptions,
  type ServerTarget,
} from '../server/server-options.ts';
import { argumentsOf, shown } from './call.ts';

/** An editor writes a file in several steps. */
const SETTLE_MS = 50;
const IGNORED = /(?:^|[\\/])(?:node_modules|\.git)(?:[\\/]|$)/u;

const options = {
  watch: {
    type: 'string',
    value: '<folder>',
    default: '.',
    description: 'The folder whose changes restart the server.',
  },
  inspector: { type: 'boolean', description: 'Starts the MCP Inspector beside it, by npx.' },
} as const;

const HELP = 'Type a tool and its arguments as JSON, such as: echo {"text":"hello"}. Also: list, quit.\n';

/** `mcp-tools dev`: a server that restarts when a file changes, and calls by hand. */
export const devCommand: Command = {
  summary: 'Starts a server, restarts it when a file changes, and calls the tools that you type.',
  options: { ...options, ...serverOptions },
  found: 'the command failed',
  async run(args, context) {
    const { values, target } = parseServerArgs(args, options);
    const server = requireTarget(target);
    if (server.kind !== 'stdio') {
      throw new UsageError('dev starts the server: name it with --command');
    }
    const inspector = values.inspector === true ? startInspector(server) : undefined;
    await using running = new Running(server, context);
    await running.restart('started');
    const watcher = watch(resolve(context.directory, values.watch), { recursive: true });
    let timer: NodeJS.Timeout | undefined;
    // The folder may go away, or the system watch no more files: the server that runs stays.
    watcher.on('error', ({ message }) => context.stdout.write(`changes are not seen any more: ${message}\n`));
    watcher.on('change', (_event, file) => {
      if (!IGNORED.test(String(file))) {
        clearTimeout(timer);
        timer = setTimeout(() => void running.restart('restarted'), SETTLE_MS);
      }
    });
    try {
      await converse(running, context);
    } finally {
      clearTimeout(timer);
      watcher.close();
      inspector?.kill();
    }
    return 0;
  },
};

/** The server of the moment. */
class Running {
  readonly #target: ServerTarget;
  readonly #context: CliContext;
  #server: OpenServer | undefined;
  #change: Promise<void> = Promise.resolve();

  constructor(target: ServerTarget, context: CliContext) {
    this.#target = target;
    this.#context = context;
  }

  /** One at a time; a server that does not start is tried again at the next change. */
  restart(done: string): Promise<void> {
    this.#change = this.#change.then(async () => {
      const { stdout, version } = this.#context;
      const startedAt = performance.now();
      try {
        await this.#server?.[Symbol.asyncDispose]();
        this.#server = undefined;
        this.#server = await openServer(this.#target, version);
        const { tools } = await listOffered(this.#server.client);
        const tookMs = Math.round(performance.now() - startedAt);
        stdout.write(`${done} in ${tookMs} ms: ${tools.map(({ name }) => name).join(', ')}\n`);
      } catch (error) {
        stdout.write(`not ${done}: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    });
    return this.#change;
  }

  /** When no restart is under way. */
  async current(): Promise<OpenServer | undefined> {
    await this.#change;
    return this.#server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#change;
    await this.#server?.[Symbol.asyncDispose]();
  }
}

async function converse(running: Running, { stdin, stdout, signal }: CliContext): Promise<void> {
  stdout.write(HELP);
  const lines = createInterface({ input: stdin, signal });
  for await (const line of lines) {
    const text = line.trim();
    if (text === 'quit') {
      break;
    }
    if (text !== '') {
      stdout.write(await answerTo(text, await running.current(), signal));
    }
  }
  lines.close();
}

async function answerTo(line: string, server: OpenServer | undefined, signal: AbortSignal): Promise<string> {
  if (server === undefined) {
    return 'The server does not run; change a file to start it again.\n';
  }
  try {
    if (line === 'list') {
      const { tools } = await listOffered(server.client);
      return tools.map(({ name, description = '' }) => `${name}: ${description}\n`).join('');
    }
    const [name = '', ...sent] = line.split(' ');
    const json = sent.join(' ').trim();
    return shown(
      await server.client.callTool({ name, arguments: argumentsOf(json === '' ? '{}' : json) }, { signal }),
    );
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${error instanceof UsageError ? HELP : ''}`;
  }
}

/** It is a program of its own, with a server of its own. */
function startInspector({ command, args }: ServerTarget & { readonly kind: 'stdio' }): ChildProcess {
  const inspector = spawn('npx', ['-y', '@modelcontextprotocol/inspector', command, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  // Without npx there is no Inspector, and the server goes on.
  inspector.on('error', () => undefined);
  return inspector;
}
