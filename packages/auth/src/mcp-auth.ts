#!/usr/bin/env node
import { readFileSync } from 'node:fs';

import { runCli } from './cli/run-cli.ts';

// The manifest lies above src and above dist.
const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const version =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';

void runCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  now: () => Date.now(),
  version,
}).then((exitCode) => {
  process.exitCode = exitCode;
});
