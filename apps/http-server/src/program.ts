import { createLogger } from '@mcp-parts/observability';
import type { Command } from '@mcp-parts/server-kit';

import manifest from '../package.json' with { type: 'json' };
import type { unauthenticatedSettings } from './configuration.ts';

const name = 'mcp-deployments-http';

/** What the program is, with and without authentication. */
export const program = {
  name,
  version: manifest.version,
  description: manifest.description,
  terminationGraceMs: ({ TERMINATION_GRACE_MS }) => TERMINATION_GRACE_MS,
  createLogger: ({ LOG_LEVEL }, { otlp }) => createLogger({ name, level: LOG_LEVEL, otlp }),
} satisfies Partial<Command<typeof unauthenticatedSettings>>;
