import {
  createAuthenticator,
  createFreshPolicy,
  createKeyProofs,
  createPolicy,
  createTokenVerifier,
  localCaller,
} from '@mcp-parts/auth';
import { createLogger } from '@mcp-parts/observability';
import {
  assembleServer,
  serveHttp,
  type AssembleOptions,
  type GateOptions,
  type Server,
  type ServeHttpOptions,
} from '@mcp-parts/server-kit';
import { createCatalog, createMethodTable, defineTool, type CatalogDefinitions } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { RESOURCE, SCOPE } from '../issuer.ts';
import type { StartServer } from '../serve.ts';
import { dummies, echo, record, recordOf } from '../tools.ts';

const annotations = { readOnly: true, destructive: false, idempotent: true, openWorld: false };

const definitions: CatalogDefinitions = {
  tools: [
    defineTool({
      ...echo,
      output: z.object({ message: z.string() }),
      annotations,
      permission: SCOPE,
      handle: ({ message }) => Promise.resolve({ message }),
      text: ({ message }) => message,
    }),
    defineTool({
      ...record,
      annotations,
      permission: SCOPE,
      handle: ({ id }) => Promise.resolve(recordOf(id)),
      text: (output) => JSON.stringify(output),
    }),
    ...dummies.map((dummy) =>
      defineTool({
        ...dummy,
        output: z.object({ name: z.string() }),
        annotations,
        permission: SCOPE,
        handle: () => Promise.resolve({ name: dummy.name }),
        text: ({ name }) => name,
      }),
    ),
  ],
};

/** For soaks: a tool that waits until its caller gives up, and one that fails. */
const troublesome: CatalogDefinitions = {
  tools: [
    ...(definitions.tools ?? []),
    defineTool({
      name: 'wait',
      title: 'Wait',
      description: 'Waits until it is cancelled, or 30 seconds.',
      input: z.strictObject({}),
      output: z.object({ waited: z.boolean() }),
      annotations,
      permission: SCOPE,
      handle: (_input, { signal }) =>
        new Promise<{ waited: boolean }>((resolve) => {
          signal.addEventListener('abort', () => resolve({ waited: true }), { once: true });
        }),
      text: () => 'Waited.',
    }),
    defineTool({
      name: 'fail',
      title: 'Fail',
      description: 'Fails.',
      input: z.strictObject({}),
      output: z.object({}),
      annotations,
      permission: SCOPE,
      handle: () => Promise.reject<Record<string, never>>(new Error('as asked')),
      text: () => 'Never said.',
    }),
  ],
};

const policy = createPolicy({
  version: 1,
  permissions: [SCOPE],
  groups: ['users'],
  grants: [{ group: 'users', allow: [SCOPE] }],
});

/** The methods and the endpoint with nothing in between: no trail, no limit, no metrics of calls, no token. */
export const startBare: StartServer = async ({ folder }) => {
  const server = await assemble(folder, { authorizer: undefined });
  const table = createMethodTable(createCatalog(definitions), { logger: server.logger });
  return serve({ ...server, table }, { unauthenticated: anybody() });
};

/** As shipped, for everybody on this machine. */
export const startWithoutToken: StartServer = async ({ folder }) =>
  serve(await assemble(folder, { authorizer: policy }), { unauthenticated: anybody() });

/** As shipped: tokens, policy with groups, a durable trail, limits, metrics, a log. */
export const startEverything: StartServer = (options) => startGuarded(options, { definitions });

/** The same with the tools that make trouble, and sessions that are closed soon after they were abandoned. */
export const startForSoak: StartServer = (options) =>
  startGuarded(
    options,
    { definitions: troublesome, auditKeepDays: 1 },
    { sessionIdleMs: 3_000, maxRefusalsPerMinute: 1_000_000 },
  );

async function startGuarded(
  { issuer, folder }: { readonly issuer: string; readonly folder: string },
  options: Partial<AssembleOptions>,
  limits: Partial<ServeHttpOptions> = {},
): Promise<string> {
  const verifier = createTokenVerifier({
    issuer,
    audience: RESOURCE,
    algorithms: ['RS256'],
    jwksUrl: `${issuer}/jwks`,
  });
  const proofs = createKeyProofs();
  const directory = { groupsOf: () => Promise.resolve(['users']) };
  const authenticator = createAuthenticator({ verifier, directory, policy, proofs });
  const authorizer = createFreshPolicy({ policy, authenticator });
  const gate = {
    authenticator,
    resource: RESOURCE,
    authorizationServers: [issuer],
    scopes: policy.scopesFor(policy.permissions),
    basicScopes: [SCOPE],
    policy,
    proofs,
  };
  return serve(await assemble(folder, { authorizer, ...options }), gate, limits);
}

function assemble(folder: string, options: Partial<AssembleOptions>): Promise<Server> {
  return assembleServer({
    serverInfo: { name: 'bench', version: '1.0.0' },
    definitions,
    logger: createLogger({ name: 'bench', level: 'info' }),
    stateDirectory: folder,
    // High, but there: the look-up is what costs.
    rateLimitPerMinute: 1_000_000,
    ...options,
  });
}

async function serve(
  server: Server,
  gate: GateOptions,
  limits: Partial<ServeHttpOptions> = {},
): Promise<string> {
  const { url } = await serveHttp(server, { port: 0, gate, maxSessions: 10_000, ...limits });
  return url;
}

function anybody() {
  return localCaller({ name: 'bench', permissions: [SCOPE] });
}
