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
  description: 'Works for a moment, and fails. Needs a client that knows tasks.',
  input: nothing,
  longRunning: { ...longRunning, taskSupport: 'required' },
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

const askingFirst = defineTool({
  ...harmless,
  name: 'test_tool_with_task',
  description: 'Asks for a name before it begins, and greets by it in the end.',
  input: z.strictObject({ user_name: z.string().optional() }),
  longRunning: {
    ...longRunning,
    async prepare({ user_name }, { ask }) {
      if (user_name !== undefined) {
        return { user_name };
      }
      const { name } = accepted(await ask(form('What is your name?', z.object({ name: z.string() }))));
      return { user_name: name };
    },
  },
  handle: async ({ user_name = 'stranger' }) => `Hello, ${user_name}!`,
});

/** Work that outlives its request, with and without questions. */
export const longRunningTools = [greet, compute, failing, broken, asking, askingTwice, askingFirst];
