import { auditOptions, type AssembleOptions, type commonSettings, type SettingValues } from '@mcp-parts/server-kit';

import { createDefinitions } from './definitions.ts';
import type { Parts } from './parts.ts';

/** How the server introduces itself. */
export const serverInfo = { name: 'my-server', title: 'My server', version: '0.1.0' };

/** Told to the model once, before it calls anything. */
const instructions =
  'Tickets of the house. List them before you create one, so that nothing is reported twice.';

/** What the server is made of, whatever it is served over. */
export function serverOptions(
  settings: SettingValues<typeof commonSettings>,
  parts: Parts,
): Omit<AssembleOptions, 'logger'> {
  return {
    serverInfo,
    instructions,
    definitions: createDefinitions(parts),
    stateDirectory: settings.STATE_DIRECTORY,
    ...auditOptions(settings),
    rateLimitPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    serverRateLimitPerMinute: settings.SERVER_RATE_LIMIT_PER_MINUTE,
    maxConcurrentCalls: settings.MAX_CONCURRENT_CALLS,
    serverMaxConcurrentCalls: settings.SERVER_MAX_CONCURRENT_CALLS,
    deadlineMs: settings.CALL_DEADLINE_MS,
    maxOutputBytes: settings.MAX_OUTPUT_BYTES,
    answerBytes: settings.ANSWER_BYTES,
    terminationGraceMs: settings.TERMINATION_GRACE_MS,
  };
}
