import {
  createAuthenticator,
  createFileDirectory,
  createTokenVerifier,
  localCaller,
  type Caller,
  type Policy,
} from '@mcp-parts/auth';
import type { Logger } from '@mcp-parts/tool-kit';

import type { Configuration } from './configuration.ts';

/**
 * Who the calls of this process are made for: the holder of the access token, or, without one, a local
 * identity that may only read.
 */
export async function identify(
  config: Configuration,
  policy: Policy,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<Caller> {
  if (config.ACCESS_TOKEN === undefined) {
    logger.warn({}, 'no ACCESS_TOKEN: running as a local identity that may only read');
    return localCaller({ name: 'stdio', permissions: ['deploy:read'] });
  }
  await using verifier = createTokenVerifier({
    issuer: config.AUTH_ISSUER,
    audience: config.AUTH_AUDIENCE,
    algorithms: config.AUTH_ALGORITHMS,
  });
  const directory = await createFileDirectory({ path: config.DIRECTORY_FILE, logger });
  await using authenticator = createAuthenticator({ verifier, directory, policy });
  return await authenticator.authenticateToken(config.ACCESS_TOKEN, { signal });
}
