import { localCaller, type Authenticator, type Caller } from '@mcp-parts/auth';
import type { Logger } from '@mcp-parts/tool-kit';

/**
 * Who the calls of this process are made for: the holder of the access token, or, without one, a local
 * identity that may only read.
 */
export async function identify(
  accessToken: string | undefined,
  authenticator: Authenticator,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<Caller> {
  if (accessToken !== undefined) {
    return authenticator.authenticateToken(accessToken, { signal });
  }
  logger.warn({}, 'running as a local identity that may only read, for want of an ACCESS_TOKEN');
  return localCaller({ name: 'stdio', permissions: ['deploy:read'] });
}
