import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ServerName } from './contenders.ts';
import type { Answers, Question } from './serve.ts';

const SERVER_CORE = '0';
const LOAD_CORE = '1';

/** What our image tells Node: so many MiB for young objects. Every contender is told the same. */
export const imageFlags = flagsOf(readFileSync(new URL('../../deploy/Dockerfile', import.meta.url), 'utf8'));

function flagsOf(dockerfile: string): readonly string[] {
  const command = dockerfile.match(/^CMD (?<words>\[.*\])$/mu)?.groups?.['words'];
  if (command === undefined) {
    throw new Error('deploy/Dockerfile: no CMD in the form of a list');
  }
  const words = JSON.parse(command) as readonly string[];
  return words.filter((word) => word.startsWith('--'));
}

/** A server in a process of its own, on a core of its own where the machine lets us choose. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly ask: <Asked extends Question>(question: Asked) => Promise<Answers[Asked]>;
}

/** How servers are started. */
export interface StartOptions {
  /** URL of the issuer of the tokens. */
  readonly issuer: string;
  /** Whether servers run on a core of their own; see {@link pinLoad}. */
  readonly pinned: boolean;
  /** Our packages as their sources instead of what was built, so that profiles name files. @default false */
  readonly fromSources?: boolean | undefined;
}

/** Puts this process, which makes the load, on another core than the servers. Says whether it could. */
export function pinLoad(): boolean {
  if (availableParallelism() < 2) {
    return false;
  }
  try {
    execFileSync('taskset', ['-acp', LOAD_CORE, String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    // Not Linux, or without util-linux: the system places the processes.
    return false;
  }
}

/** Starts one and waits until it listens. */
export async function startServer(
  server: ServerName,
  { issuer, pinned, fromSources = false }: StartOptions,
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bench-'));
  const program = [
    process.execPath,
    '--expose-gc',
    ...imageFlags,
    ...(fromSources ? ['--conditions=@mcp-parts/source'] : []),
    fileURLToPath(new URL('serve.ts', import.meta.url)),
    server,
    issuer,
    folder,
  ];
  const [command = '', ...args] = pinned ? ['taskset', '-c', SERVER_CORE, ...program] : program;
  const log = join(folder, 'stderr.log');
  const stderr = openSync(log, 'w');
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', stderr, 'ipc'] });
  closeSync(stderr);
  const next = async () => {
    const gone = new AbortController();
    const onExit = () => gone.abort(new Error(`${server} ended: ${readFileSync(log, 'utf8').slice(-2_000)}`));
    child.once('exit', onExit);
    try {
      const [message] = await once(child, 'message', { signal: gone.signal });
      return message as unknown;
    } catch (error) {
      throw gone.signal.aborted ? gone.signal.reason : error;
    } finally {
      child.removeListener('exit', onExit);
    }
  };
  // Our own program, which says nothing else.
  const { url } = (await next()) as { readonly url: string };
  return {
    url,
    pid: child.pid ?? 0,
    async ask(question) {
      const answer = next();
      child.send(question);
      return (await answer) as never;
    },
    async [Symbol.asyncDispose]() {
      await stop(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}
