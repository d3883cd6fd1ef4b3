import { definePrompt, defineResource, defineTool, type Catalog, type EventBus } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from './harmless.ts';

/** What a definition can do to the server that it is part of, once that runs. */
export interface Running {
  readonly catalog: Pick<Catalog, 'change'>;
  readonly events: Pick<EventBus, 'publish'>;
}

const { permission } = harmless;
const WATCHED = 'test://watched-resource';

const comingAndGoing = {
  tool: defineTool({
    ...harmless,
    name: 'test_coming_and_going',
    description: 'Is there every other time.',
    input: z.strictObject({}),
    handle: async () => 'Here.',
  }),
  prompt: definePrompt({
    name: 'test_coming_and_going_prompt',
    description: 'Is there every other time.',
    arguments: z.strictObject({}),
    permission,
    render: () => 'Here.',
  }),
};

/** A tool, a prompt and a resource that change, and tools that change them. */
export function createChanges(running: () => Running) {
  const areThere = { tools: true, prompts: true };
  let version = 1;

  function toggle(list: 'tools' | 'prompts', name: string): string {
    areThere[list] = !areThere[list];
    running().catalog.change(
      areThere[list] ? { enable: { [list]: [name] } } : { disable: { [list]: [name] } },
    );
    return `${name} is ${areThere[list] ? 'there' : 'gone'}.`;
  }

  const watched = defineResource({
    name: 'watched-resource',
    description: 'A text that test_update_resource changes.',
    uriTemplate: WATCHED,
    mimeType: 'text/plain',
    parameters: z.object({}),
    permission,
    list: async () => [{ uri: WATCHED, name: 'watched-resource' }],
    read: async () => `Version ${version} of the watched resource.`,
  });
  const triggers = [
    defineTool({
      ...harmless,
      name: 'test_trigger_tool_change',
      description: 'Makes a tool come or go.',
      input: z.strictObject({}),
      handle: async () => toggle('tools', comingAndGoing.tool.name),
    }),
    defineTool({
      ...harmless,
      name: 'test_trigger_prompt_change',
      description: 'Makes a prompt come or go.',
      input: z.strictObject({}),
      handle: async () => toggle('prompts', comingAndGoing.prompt.name),
    }),
    defineTool({
      ...harmless,
      name: 'test_update_resource',
      description: 'Changes the watched resource.',
      input: z.strictObject({}),
      async handle() {
        version += 1;
        running().events.publish({ kind: 'resource_updated', uri: WATCHED });
        return `It is version ${version} now.`;
      },
    }),
  ];
  return {
    tools: [comingAndGoing.tool, ...triggers],
    prompts: [comingAndGoing.prompt],
    resources: [watched],
  };
}
