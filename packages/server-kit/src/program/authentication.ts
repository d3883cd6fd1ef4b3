import {
  createAuthenticator,
  createIntrospectionVerifier,
  createKeyProofs,
  createPolicy,
  createTokenRouter,
  createTokenVerifier,
  createFreshPolicy,
  loadPolicy,
  localCaller,
  openDirectory,
  type Authenticator,
  type Policy,
  type TokenVerifier,
} from '@mcp-parts/auth';
import type { Authorizer, Logger } from '@mcp-parts/tool-kit';

import type { TokenGateOptions } from '../http/gate.ts';
import type { UnauthenticatedGateOptions } from '../http/unauthenticated-gate.ts';
import { checkAuthenticationSettings } from './check-authentication.ts';
import type { authenticationSettings } from './common-settings.ts';
import type { SettingValues } from './settings.ts';

/** Who is calling and what they may do, as the settings say. */
export interface Authentication extends AsyncDisposable {
  readonly policy: Policy;
  /** The authorizer of the server: the policy, on groups that are as fresh as it asks for. */
  readonly authorizer: Authorizer;
  readonly authenticator: Authenticator;
  /** For `serveHttp`. `basicScopes` are what a client asks for first. */
  readonly gate: (basicScopes: readonly string[]) => TokenGateOptions;
}

/**
 * Reads the policy and the directory and prepares the verification of tokens.
 *
 * @throws {TypeError} naming the file or setting, and the problem.
 */
export async function openAuthentication(
  settings: SettingValues<typeof authenticationSettings>,
  logger: Logger,
): Promise<Authentication> {
  const [problem] = checkAuthenticationSettings(settings);
  if (problem !== undefined) {
    throw new TypeError(problem);
  }
  const verifier = verifierFor(settings);
  const policy = createPolicy(await loadPolicy(settings.POLICY_FILE));
  const directory = await openDirectory({
    path: settings.DIRECTORY_FILE,
    issuer: settings.AUTH_ISSUER,
    logger,
    password: settings.DIRECTORY_PASSWORD,
  });
  const proofs = createKeyProofs();
  const authenticator = createAuthenticator({ verifier, directory, policy, proofs });
  return {
    policy,
    authorizer: createFreshPolicy({ policy, authenticator }),
    authenticator,
    gate: (basicScopes) => ({
      authenticator,
      resource: settings.AUTH_AUDIENCE,
      authorizationServers: [settings.AUTH_ISSUER],
      scopes: policy.scopesFor(policy.permissions),
      basicScopes,
      policy,
      proofs,
    }),
    async [Symbol.asyncDispose]() {
      await authenticator.close();
      await verifier.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** For JWTs, and for opaque tokens too where the settings say who knows them. */
function verifierFor(settings: SettingValues<typeof authenticationSettings>): TokenVerifier {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_ALGORITHMS: algorithms } = settings;
  const introspectionUrl = settings.AUTH_INTROSPECTION_URL;
  const id = settings.AUTH_INTROSPECTION_CLIENT_ID;
  const secret = settings.AUTH_INTROSPECTION_CLIENT_SECRET;
  const claim = settings.AUTH_GROUPS_CLAIM;
  const rules = {
    issuer,
    audience,
    allowExtraAudiences: settings.AUTH_ALLOW_EXTRA_AUDIENCES,
    missingSubject: settings.AUTH_MISSING_SUBJECT,
    groups: claim === undefined ? undefined : { claim },
  };
  const jwt = createTokenVerifier({
    ...rules,
    algorithms,
    jwksUrl: settings.AUTH_JWKS_URL,
    tokenType: settings.AUTH_TOKEN_TYPE === 'jwt' ? 'JWT' : 'at+jwt',
  });
  if (introspectionUrl !== undefined && id !== undefined && secret !== undefined) {
    const client = { id, secret };
    const opaque = createIntrospectionVerifier({ ...rules, introspectionUrl, client });
    return createTokenRouter({ jwt: [jwt], opaque });
  }
  return jwt;
}

/**
 * Reads the policy for a server that asks nobody who they are: every request counts as one local caller with these
 * permissions, and no permission with a `require` rule can be one of them. `serveHttp` allows it on loopback only.
 *
 * @throws {TypeError} naming the file and the problem.
 */
export async function unauthenticatedAccess(
  settings: Pick<SettingValues<typeof authenticationSettings>, 'POLICY_FILE'>,
  permissions: readonly string[],
): Promise<{ readonly authorizer: Authorizer; readonly gate: UnauthenticatedGateOptions }> {
  return {
    authorizer: createPolicy(await loadPolicy(settings.POLICY_FILE)),
    gate: { unauthenticated: localCaller({ name: 'unauthenticated', permissions }) },
  };
}
