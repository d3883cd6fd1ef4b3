#!/usr/bin/env node
import manifest from '../package.json' with { type: 'json' };
import { runCli } from './cli/run-cli.ts';

const { version } = manifest;
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // A reader such as `head` may go away first; what else is not written was asked for.
  if (code !== 'EPIPE') {
    process.stderr.write(`mcp-auth: standard output could not be written (${code})\n`);
    process.exitCode = 1;
  }
});
process.stderr.on('error', () => undefined);

void runCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  now: () => Date.now(),
  version,
}).then((exitCode) => {
  process.exitCode ??= exitCode;
});
