#!/usr/bin/env node
import manifest from '../package.json' with { type: 'json' };
import { runCli } from './openapi/run-cli.ts';

const { stdout, stderr } = process;
void runCli(process.argv.slice(2), { stdout, stderr, version: manifest.version }).then((exitStatus) => {
  process.exitCode = exitStatus;
});
