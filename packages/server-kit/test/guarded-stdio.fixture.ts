/** The guarded server on stdio, for the holder of a token, or for a local caller without one. */
import { createAuthenticator, createFreshPolicy, localCaller } from '@mcp-parts/auth';

import { assembleServer, serveStdio } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';
import { everybody, guardedDefinitions, policy, verifierOf } from './guarded-parts.ts';

const [stateDirectory = '', issuer = '', token = ''] = process.argv.slice(2);
await using verifier = verifierOf(issuer);
await using authenticator = createAuthenticator({ verifier, directory: everybody, policy });
const caller =
  token === ''
    ? localCaller({ name: 'stdio', permissions: ['deploy:staging', 'deploy:production'] })
    : await authenticator.authenticateToken(token, { signal: AbortSignal.timeout(30_000) });
await using server = await assembleServer({
  serverInfo: { name: 'guarded', version: '1.0.0' },
  definitions: guardedDefinitions(() => undefined),
  authorizer: createFreshPolicy({ policy, authenticator }),
  logger: silentLogger,
  stateDirectory,
});
await serveStdio(server, { caller });
