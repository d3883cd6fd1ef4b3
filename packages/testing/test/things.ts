import {
  createCatalog,
  createMethodTable,
  definePrompt,
  defineResource,
  defineTool,
  PublicError,
  type PipelineOptions,
} from '@mcp-parts/tool-kit';
import { z } from 'zod';

export const greet = defineTool({
  name: 'greet',
  title: 'Greet',
  description: 'Greets a person. Returns the greeting.',
  // A transform, so that parsing twice would show.
  input: z.strictObject({ name: z.string().min(1), times: z.string().regex(/^\d$/u).transform(Number) }),
  output: z.object({ greeting: z.string(), times: z.number() }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'things:read',
  handle: ({ name, times }) => {
    if (name === 'nobody') {
      throw new PublicError('nobody', 'There is nobody to greet. Name a person.');
    }
    if (name === 'secret') {
      throw new Error('hunter2 at db.internal');
    }
    return Promise.resolve({ greeting: `Hello ${name}`, times });
  },
  text: ({ greeting, times }) => `${greeting}, ${times} times.`,
  isFailure: ({ times }) => times === 0,
});

const erase = defineTool({
  name: 'erase',
  title: 'Erase',
  description: 'Erases everything.',
  input: z.strictObject({}),
  output: z.object({}),
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  permission: 'things:write',
  handle: () => Promise.resolve({}),
  text: () => 'Erased.',
});

/** A tool that waits until it is told to stop. */
export function waitTool() {
  const started = Promise.withResolvers<AbortSignal>();
  const tool = defineTool({
    name: 'wait',
    title: 'Wait',
    description: 'Waits.',
    input: z.strictObject({}),
    output: z.object({}),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'things:read',
    handle: (_input, { signal }) => {
      started.resolve(signal);
      return new Promise<never>(() => undefined);
    },
    text: () => '',
  });
  return { tool, started: started.promise };
}

const thing = defineResource({
  name: 'thing',
  title: 'Thing',
  description: 'One thing.',
  uriTemplate: 'thing://{id}',
  parameters: z.object({ id: z.string().regex(/^\d+$/u) }),
  permission: 'things:read',
  complete: { id: (prefix) => Promise.resolve(['1', '2'].filter((id) => id.startsWith(prefix))) },
  list: () => Promise.resolve([{ uri: 'thing://1', name: 'thing 1' }]),
  read: ({ id }) => Promise.resolve(id === '1' ? { id, size: 3 } : undefined),
});

const plan = definePrompt({
  name: 'plan',
  title: 'Plan',
  description: 'Plans the work.',
  arguments: z.object({ goal: z.string().describe('What to reach') }),
  permission: 'things:read',
  complete: { goal: () => Promise.resolve(['peace', 'quiet']) },
  render: ({ goal }) => `Plan how to reach ${goal}.`,
});

/** The catalog above as a table. */
export function things(options: PipelineOptions = {}) {
  return createMethodTable(
    createCatalog({ tools: [greet, erase], resources: [thing], prompts: [plan] }),
    options,
  );
}
