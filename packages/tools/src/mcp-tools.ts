#!/usr/bin/env node
import { homedir } from 'node:os';

import manifest from '../package.json' with { type: 'json' };
import { runCli } from './run-cli.ts';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort());
}
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  interrupted.abort();
  // A reader such as `head` may go away first; what else is not written was asked for.
  if (code !== 'EPIPE') {
    process.stderr.write(`mcp-tools: standard output could not be written (${code})\n`);
    process.exitCode = 1;
  }
});
process.stderr.on('error', () => undefined);

const { stdin, stdout, stderr, platform } = process;
void runCli(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  signal: interrupted.signal,
  version: manifest.version,
  directory: process.cwd(),
  home: homedir(),
  platform,
  node: process.execPath,
}).then((exitStatus) => {
  process.exitCode ??= exitStatus;
});
