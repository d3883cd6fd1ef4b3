import { defineTool, type CatalogDefinitions } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from '../src/harmless.ts';

/** A server that has nothing of what the suite looks for: what passes against it passes for no reason. */
export function createUnrelated(): CatalogDefinitions {
  const sayHello = defineTool({
    ...harmless,
    name: 'say_hello',
    description: 'Says hello.',
    input: z.strictObject({}),
    handle: async () => 'Hello',
  });
  return { tools: [sayHello] };
}
