#!/usr/bin/env node
import { runCli } from './cli/run-cli.ts';

void runCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  now: () => Date.now(),
}).then((exitCode) => {
  process.exitCode = exitCode;
});
