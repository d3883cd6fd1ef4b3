import type { Logger } from '@mcp-parts/tool-kit';

/** Keeps what a server logs out of the tests' output. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
