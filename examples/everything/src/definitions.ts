import type { CatalogDefinitions } from '@mcp-parts/tool-kit';

import { createChanges, type Running } from './changes.ts';
import { prompts } from './prompts.ts';
import { resources } from './resources.ts';
import { contentTools } from './tools/content.ts';
import { longRunningTools } from './tools/long-running.ts';
import { questionTools } from './tools/questions.ts';
import { schemaTools } from './tools/schemas.ts';
import { whileRunningTools } from './tools/while-running.ts';

/** One of everything that a server can have. */
export function createDefinitions(running: () => Running): CatalogDefinitions {
  const changes = createChanges(running);
  return {
    tools: [
      ...contentTools,
      ...schemaTools,
      ...whileRunningTools,
      ...questionTools,
      ...longRunningTools,
      ...changes.tools,
    ],
    resources: [...resources, ...changes.resources],
    prompts: [...prompts, ...changes.prompts],
  };
}
