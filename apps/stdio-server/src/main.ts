#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const FLUSH_AFTER_MS = 5_000;

// Halves the start. Not in the directory for temporary files, where somebody else could put code for this program.
enableCompileCache(join(homedir(), '.cache', 'mcp-deployments'));
// Many clients kill the program, and then nothing is written when it ends.
setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();

const { run } = await import('./program.ts');
await run();
