#!/usr/bin/env node
import manifest from '../package.json' with { type: 'json' };
import { runCli } from './openapi/run-cli.ts';

const { stdout, stderr } = process;
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // A reader such as `head` may go away first; what else is not written was asked for.
  if (code !== 'EPIPE') {
    process.stderr.write(`mcp-endpoints: standard output could not be written (${code})\n`);
    process.exitCode = 1;
  }
});
process.stderr.on('error', () => undefined);

void runCli(process.argv.slice(2), { stdout, stderr, version: manifest.version }).then((exitStatus) => {
  process.exitCode ??= exitStatus;
});
