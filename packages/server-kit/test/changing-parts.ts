import {
  defineResource,
  defineTool,
  type CatalogChange,
  type CatalogDefinitions,
  type EventBus,
  type ServerEvent,
} from '@mcp-parts/tool-kit';
import { z } from 'zod';

const annotations = { readOnly: true, destructive: false, idempotent: true, openWorld: false } as const;

/** A tool that says its name. */
function named(name: string, permission = 'read') {
  return defineTool({
    name,
    description: 'Says its name.',
    input: z.strictObject({}),
    annotations,
    permission,
    handle: () => Promise.resolve(name),
  });
}

/** Notes that only their owner may read: who asks is known to the handler alone. */
const notes = defineResource({
  name: 'note',
  description: 'A note of somebody.',
  uriTemplate: 'note://{owner}/{id}',
  mimeType: 'text/plain',
  parameters: z.object({ owner: z.string(), id: z.string() }),
  permission: 'read',
  list: () => Promise.resolve([]),
  read: ({ owner, id }, { caller }) =>
    Promise.resolve(caller.id === `local#${owner}` ? `note ${id}` : undefined),
});

const names = z.object({ tools: z.array(z.string()).optional() });

/** What a test's server offers, and a tool with which its client changes that. */
export function changingDefinitions(change: (change: CatalogChange) => void, events: EventBus) {
  const control = defineTool({
    name: 'change',
    description: 'Changes what the server offers.',
    input: z.strictObject({
      add: z.array(z.string()).default([]),
      remove: names.optional(),
      disable: names.optional(),
      enable: names.optional(),
      publish: z.array(z.looseObject({})).default([]),
    }),
    annotations,
    permission: 'read',
    handle({ add, publish, ...changes }) {
      if (add.length > 0 || Object.keys(changes).length > 0) {
        change({ ...changes, ...(add.length > 0 && { add: { tools: add.map((name) => named(name)) } }) });
      }
      for (const event of publish) {
        // As the test has written it.
        events.publish(event as unknown as ServerEvent);
      }
      return Promise.resolve('done');
    },
  });
  return {
    tools: [named('first'), control, named('secret', 'secret')],
    resources: [notes],
    prompts: [],
  } satisfies CatalogDefinitions;
}
