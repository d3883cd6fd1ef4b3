import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import type { CliContext } from '../src/cli/command.ts';
import { runCli } from '../src/run-cli.ts';

/** What a command line gave. */
export interface Ran {
  readonly exitStatus: number;
  readonly out: string;
  readonly err: string;
}

const program = fileURLToPath(new URL('texts-program.ts', import.meta.url));

/** A server of the tests, as the end of a command line. */
export function texts(offered: string): readonly string[] {
  return ['--command', process.execPath, '--conditions=@mcp-parts/source', program, offered];
}

/** Runs one command line of `mcp-tools` in this process. */
export async function runTools(args: readonly string[], context: Partial<CliContext> = {}): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const [out, err] = [text(stdout), text(stderr)];
  const exitStatus = await runCli(args, {
    stdin: new PassThrough(),
    stdout,
    stderr,
    signal: new AbortController().signal,
    version: '1.0.0',
    directory: process.cwd(),
    home: '/home/ada',
    platform: 'linux',
    node: '/usr/bin/node',
    ...context,
  });
  stdout.end();
  stderr.end();
  return { exitStatus, out: await out, err: await err };
}

/** A folder of its own for one test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-tools-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
