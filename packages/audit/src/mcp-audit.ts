#!/usr/bin/env node
import { runCli } from './cli/run-cli.ts';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort());
}
// A reader such as `head` may go away first.
process.stdout.on('error', () => interrupted.abort());

const { stdout, stderr } = process;
void runCli(process.argv.slice(2), { stdout, stderr, signal: interrupted.signal, now: Date.now }).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
);
