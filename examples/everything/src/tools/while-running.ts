import { setTimeout as wait } from 'node:timers/promises';

import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from '../harmless.ts';

const STEP_MS = 50;

const progress = defineTool({
  ...harmless,
  name: 'test_tool_with_progress',
  description: 'Reports its progress in three steps.',
  input: z.strictObject({}),
  async handle(_input, { progress, signal }) {
    progress(0, 100, 'begun');
    await wait(STEP_MS, undefined, { signal });
    progress(50, 100, 'half of it');
    await wait(STEP_MS, undefined, { signal });
    progress(100, 100, 'done');
    return 'All three steps are done.';
  },
});

const logging = defineTool({
  ...harmless,
  name: 'test_tool_with_logging',
  description: 'Says in messages what it is doing.',
  input: z.strictObject({}),
  async handle(_input, { log, signal }) {
    log('info', 'Tool execution started');
    await wait(STEP_MS, undefined, { signal });
    log('info', 'Tool processing data');
    await wait(STEP_MS, undefined, { signal });
    log('info', 'Tool execution completed');
    return 'Done, with three messages.';
  },
});

const wordy = defineTool({
  ...harmless,
  name: 'test_logging_tool',
  description: 'Says in messages of every level what it is doing.',
  input: z.strictObject({}),
  async handle(_input, { log }) {
    for (const level of ['debug', 'notice', 'warning', 'error'] as const) {
      log(level, { said: `a message of level ${level}` });
    }
    return 'Done, with four messages.';
  },
});

/** What is told before the answer. */
export const whileRunningTools = [progress, logging, wordy];
