import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

/** How a server is started, without its settings. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** A log line of a server. */
type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server as a child process. Disposing of it kills it. */
export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exit: Promise<Exit>;
  /** What it has logged with this message; resolves as soon as it does. Rejects when the process ends first. */
  readonly logged: (message: string) => Promise<LogLine>;
  /** Whole lines on standard output, as soon as there are `count`. Rejects when the process ends first. */
  readonly lines: (count: number) => Promise<readonly string[]>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Sends the signal and waits for the end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Exit>;
}

// Halves the time that a program takes to start; Node keeps it right when sources change.
const compileCache = join(tmpdir(), 'mcp-parts-compile-cache');

/** The server of the app in this directory: from its sources as tests are, on a Node that can run them. */
export function serverProgram(appFolder: URL): Program {
  // The sources say `using`, which Node 22 has not: there, what was built last is started.
  const runsSources = Number.parseInt(process.versions.node, 10) >= 24;
  const args = runsSources
    ? ['--conditions=@mcp-parts/source', fileURLToPath(new URL('src/main.ts', appFolder))]
    : [fileURLToPath(new URL('dist/main.js', appFolder))];
  return { command: process.execPath, args };
}

/** Starts a program with exactly this environment. */
export function startProgram(
  { command, args }: Program,
  options: { readonly env?: Readonly<Record<string, string>>; readonly args?: readonly string[] } = {},
): RunningProgram {
  const child = spawn(command, [...args, ...(options.args ?? [])], {
    env: { NODE_COMPILE_CACHE: compileCache, ...options.env },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let waiting: (() => void)[] = [];
  let ended = false;
  const notify = () => {
    const checks = waiting;
    waiting = [];
    for (const check of checks) {
      check();
    }
  };
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    notify();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr.push(chunk);
    notify();
  });
  // A program that ends early may do so while its input is being written.
  child.stdin.on('error', () => undefined);
  const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('utf8');

  const exit = (async (): Promise<Exit> => {
    const [code, signal]: [number | null, NodeJS.Signals | null] = await once(child, 'close').then(
      ([first, second]) => [first, second],
    );
    ended = true;
    notify();
    return { code, signal, stdout: text(stdout), stderr: text(stderr) };
  })();

  /** Asks again whenever the program has written something. */
  function when<T>(find: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = find();
        if (found !== undefined) {
          resolve(found);
        } else if (ended) {
          reject(new Error(`the program ended without ${what}:\n${text(stderr)}`));
        } else {
          waiting.push(check);
        }
      };
      check();
    });
  }

  return {
    pid: child.pid ?? 0,
    stdin: child.stdin,
    stdout: () => text(stdout),
    stderr: () => text(stderr),
    exit,
    logged: (message) =>
      when(() => logLines(text(stderr)).find(({ msg }) => msg === message), `logging "${message}"`),
    lines: (count) =>
      when(() => {
        const lines = text(stdout).split('\n').slice(0, -1);
        return lines.length >= count ? lines : undefined;
      }, `writing ${count} lines`),
    kill: (signal) => void child.kill(signal),
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exit;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Runs a program that ends by itself. */
export function runToEnd(
  program: Program,
  options: { readonly env?: Readonly<Record<string, string>>; readonly args?: readonly string[] } = {},
): Promise<Exit> {
  const running = startProgram(program, options);
  running.stdin.end();
  return running.exit;
}

const logLineSchema = z.looseObject({ msg: z.string() });

/** The last line may not be whole yet; a line that is no log line is a stray one. */
function logLines(stderr: string): LogLine[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [logLineSchema.parse(JSON.parse(line))];
      } catch {
        return [];
      }
    });
}
