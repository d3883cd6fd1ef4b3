#!/usr/bin/env node
import manifest from '../package.json' with { type: 'json' };
import { runCli } from './cli/run-cli.ts';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort());
}
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  interrupted.abort();
  // A reader such as `head` may go away first; what else is not written was asked for.
  if (code !== 'EPIPE') {
    process.stderr.write(`mcp-audit: standard output could not be written (${code})\n`);
    process.exitCode = 1;
  }
});
process.stderr.on('error', () => undefined);

const { stdout, stderr } = process;
const { version } = manifest;
void runCli(process.argv.slice(2), {
  stdout,
  stderr,
  signal: interrupted.signal,
  now: Date.now,
  version,
}).then((exitStatus) => {
  process.exitCode ??= exitStatus;
});
