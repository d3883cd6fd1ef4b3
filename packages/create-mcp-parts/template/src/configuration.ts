import {
  commonSettings,
  // <http>
  httpSettings,
  // </http>
  // <redis>
  redisSettings,
  // </redis>
  type Invocation,
  type Settings,
} from '@mcp-parts/server-kit';

// <http>
import { accessSettings } from './access.ts';
// </http>
import { partSettings } from './parts.ts';

// <stdio>
/** The environment variables of the server on stdio; `--help` shows them. */
export const stdioServerSettings = { ...partSettings, ...commonSettings } satisfies Settings;

// </stdio>
// <http>
/** The environment variables of the server on HTTP; `--help` shows them. */
export const httpServerSettings = {
  ...accessSettings,
  ...partSettings,
  ...httpSettings,
  // <redis>
  ...redisSettings,
  // </redis>
  ...commonSettings,
} satisfies Settings;

// </http>
/** What the operating system gives the program. Nothing else reads the environment. */
export function readInvocation(): Invocation {
  return { argv: process.argv.slice(2), environment: process.env };
}
