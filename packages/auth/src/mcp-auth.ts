#!/usr/bin/env node
import manifest from '../package.json' with { type: 'json' };
import { runCli } from './cli/run-cli.ts';

const { version } = manifest;
void runCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  now: () => Date.now(),
  version,
}).then((exitCode) => {
  process.exitCode = exitCode;
});
