import type { CatalogDefinitions } from '@mcp-parts/tool-kit';

import { prompts } from './prompts.ts';
import { resources } from './resources.ts';
import { contentTools } from './tools/content.ts';
import { schemaTools } from './tools/schemas.ts';
import { whileRunningTools } from './tools/while-running.ts';

/** One of everything that a server can have. */
export const definitions: CatalogDefinitions = {
  tools: [...contentTools, ...schemaTools, ...whileRunningTools],
  resources,
  prompts,
};
