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

void runCli(process.argv.slice(2), { stdin, stdout, stderr, directory: process.cwd(), install }).then(
  (exitStatus) => {
    process.exitCode = exitStatus;
  },
);
