#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { runCli } from './run-cli.ts';

const { stdin, stdout, stderr, platform } = process;

async function install(folder: string): Promise<number> {
  const args = ['install', '--no-audit', '--no-fund', '--loglevel', 'error'];
  // On Windows npm is a script, which needs a shell.
  const npm = spawn('npm', args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: platform === 'win32',
  });
  const [status] = (await once(npm, 'close')) as [number | null];
  return status ?? 1;
}

process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // A reader such as `head` may go away first; what else is not written was asked for.
  if (code !== 'EPIPE') {
    process.stderr.write(`create-mcp-parts: standard output could not be written (${code})\n`);
    process.exitCode = 1;
  }
});
process.stderr.on('error', () => undefined);

void runCli(process.argv.slice(2), { stdin, stdout, stderr, directory: process.cwd(), install }).then(
  (exitStatus) => {
    process.exitCode ??= exitStatus;
  },
);
