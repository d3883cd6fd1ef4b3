import { setTimeout as wait } from 'node:timers/promises';

import { accepted, defineTool, form, PublicError, rpcCodes, RpcError } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from '../harmless.ts';

const nothing = z.strictObject({});
const longRunning = { pollIntervalMs: 200 };
const yes = z.object({ confirm: z.boolean() });

const greet = defineTool({
  ...harmless,
  name: 'greet',
  description: 'Greets by name, at once.',
  input: z.strictObject({ name: z.string() }),
  handle: async ({ name }) => `Hello, ${name}!`,
});

const compute = defineTool({
  ...harmless,
  name: 'slow_compute',
  description: 'Computes for a number of seconds.',
  input: z.strictObject({ seconds: z.number().min(0).max(60).default(1), label: z.string().optional() }),
  longRunning,
  async handle({ seconds }, { signal }) {
    await wait(seconds * 1_000, undefined, { signal });
    return `Computed for ${seconds} s.`;
  },
});

const failing = defineTool({
  ...harmless,
  name: 'failing_job',
  description: 'Works for a moment, and fails.',
  input: nothing,
  longRunning,
  async handle(_input, { signal }) {
    await wait(1_000, undefined, { signal });
    throw new PublicError('job_failed', 'The job has failed, as it always does. Do not try again.');
  },
});

const broken = defineTool({
  ...harmless,
  name: 'protocol_error_job',
  description: 'Works for a moment, and breaks down.',
  input: nothing,
  longRunning,
  async handle() {
    throw new RpcError(rpcCodes.internalError, 'The job has broken down.');
  },
});

const asking = defineTool({
  ...harmless,
  name: 'confirm_delete',
  description: 'Asks before it deletes nothing.',
  input: z.strictObject({ filename: z.string().default('nothing') }),
  longRunning,
  async handle({ filename }, { ask }) {
    const { confirm } = accepted(await ask(form(`Delete ${filename}?`, yes)));
    return confirm ? `${filename} would be deleted now.` : `${filename} stays.`;
  },
});

const askingTwice = defineTool({
  ...harmless,
  name: 'multi_input',
  description: 'Asks two things at once.',
  input: nothing,
  longRunning,
  async handle(_input, { ask }) {
    const { first, second } = await ask({
      first: form('The first?', yes),
      second: form('The second?', yes),
    });
    return `${accepted(first).confirm} and ${accepted(second).confirm}`;
  },
});

/** Work that outlives its request, with and without questions. */
export const longRunningTools = [greet, compute, failing, broken, asking, askingTwice];
