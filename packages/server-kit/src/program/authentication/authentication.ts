import {
  checkPolicyFits,
  createAuthenticator,
  createFilePolicy,
  createFreshPolicy,
  createKeyProofs,
  localCaller,
  openDirectory,
  type Authenticator,
  type FactAges,
  type FilePolicy,
  type ReplayStore,
} from '@mcp-parts/auth';
import type { Authorizer, Logger } from '@mcp-parts/tool-kit';

import type { TokenGateOptions } from '../../gate/bearer-gate.ts';
import type { UnauthenticatedGateOptions } from '../../gate/unauthenticated-gate.ts';
import type { CallerRights } from '../../server/server-ports.ts';
import type { authenticationSettings } from '../common-settings.ts';
import type { httpSettings } from '../http-settings.ts';
import type { SettingValues } from '../settings.ts';
import { createCallerRights } from './caller-rights.ts';
import { checkAuthenticationSettings } from './check-authentication.ts';
import { clientCertificateFrom } from './client-certificate.ts';
import { openTokenVerification } from './token-verification.ts';

/** What replicas share. */
export interface AuthenticationParts {
  /** Remembers the proofs that were used, such as `replays` of `@mcp-parts/redis`. @default each process for itself */
  readonly replays?: ReplayStore | undefined;
}

/** Who is calling and what they may do, as the settings say. */
export interface Authentication extends AsyncDisposable {
  /** What `POLICY_FILE` says, also when that changes. */
  readonly policy: FilePolicy;
  /** The authorizer of the server: the policy, on groups that are as fresh as it asks for. */
  readonly authorizer: Authorizer;
  readonly authenticator: Authenticator;
  /** How old everything is that decisions rest on; for `assembleServer`. */
  readonly ages: FactAges;
  /** What callers may do, also when the policy changes; for `assembleServer`. */
  readonly rights: CallerRights;
  /** For `serveHttp`. `basicScopes` are what a client asks for first. */
  readonly gate: (basicScopes: readonly string[]) => TokenGateOptions;
}

/**
 * Reads the policy and the directory, both again when their files change, and prepares the verification of tokens.
 *
 * @throws {TypeError} naming the file or setting, and the problem.
 */
export async function openAuthentication(
  settings: SettingValues<typeof authenticationSettings> &
    Partial<Pick<SettingValues<typeof httpSettings>, 'CLIENT_CERTIFICATE_HEADER' | 'TRUSTED_PROXIES'>>,
  logger: Logger,
  { replays }: AuthenticationParts = {},
): Promise<Authentication> {
  const [problem] = checkAuthenticationSettings(settings);
  if (problem !== undefined) {
    throw new TypeError(problem);
  }
  const { verifier, authorizationServers, scopePrefix } = await openTokenVerification(settings);
  const directory = await openDirectory({
    path: settings.DIRECTORY_FILE,
    issuer: settings.AUTH_ISSUER,
    logger,
    password: settings.DIRECTORY_PASSWORD,
  });
  let rights: ReturnType<typeof createCallerRights> | undefined;
  const policy = await createFilePolicy({
    path: settings.POLICY_FILE,
    accept(read) {
      checkPolicyFits(read, { verifier, directory });
      // It counts from the end of this turn on.
      setImmediate(() => rights?.changed());
    },
    logger,
  });
  const secret = settings.AUTH_DPOP_NONCE_SECRET;
  const proofs = createKeyProofs({ replays, nonces: secret === undefined ? undefined : { secret } });
  const { CLIENT_CERTIFICATE_HEADER: header, TRUSTED_PROXIES: trustedProxies = [] } = settings;
  const authenticator = createAuthenticator({ verifier, directory, policy, proofs });
  rights = createCallerRights(authenticator, policy);
  return {
    policy,
    rights,
    authorizer: createFreshPolicy({ policy, authenticator }),
    authenticator,
    ages: authenticator.ages,
    gate: (basicScopes) => ({
      authenticator,
      resource: settings.AUTH_RESOURCE ?? settings.AUTH_AUDIENCE,
      authorizationServers,
      scopes: policy.scopesFor(policy.permissions),
      basicScopes,
      signInScopes: settings.AUTH_SIGN_IN_SCOPES ?? policy.scopesFor(policy.permissions),
      scopePrefix,
      policy,
      proofs,
      clientCertificate: header === undefined ? undefined : clientCertificateFrom({ header, trustedProxies }),
    }),
    async [Symbol.asyncDispose]() {
      await authenticator.close();
      await verifier.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** What a server that asks nobody who they are is assembled and served with. */
export interface UnauthenticatedAccess {
  readonly authorizer: Authorizer;
  readonly gate: UnauthenticatedGateOptions;
  /** How old the policy is; for `assembleServer`. */
  readonly ages: FactAges;
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
  logger?: Logger,
): Promise<UnauthenticatedAccess> {
  const policy = await createFilePolicy({ path: settings.POLICY_FILE, logger });
  return {
    authorizer: policy,
    gate: { unauthenticated: localCaller({ name: 'unauthenticated', permissions }) },
    ages: policy.ages,
  };
}
