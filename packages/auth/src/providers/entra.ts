import type { Claims } from '../claims/claim-path.ts';

const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * Finds what can match no token: an issuer of any tenant, and an audience that version 2 tokens do not have.
 * @throws {TypeError} naming the option
 */
export function checkEntra({
  issuer,
  audience,
}: {
  readonly issuer: string;
  readonly audience: string;
}): void {
  const { hostname, pathname } = new URL(issuer);
  if (/^\/(?:common|organizations|consumers)(?:\/|$)/i.test(pathname)) {
    throw new TypeError(`issuer must be one tenant's, as its tokens spell it, got ${JSON.stringify(issuer)}`);
  }
  if (hostname === 'sts.windows.net' && !pathname.endsWith('/')) {
    throw new TypeError(`issuer must end in a slash in version 1, got ${JSON.stringify(issuer)}`);
  }
  if (!hostname.startsWith('login.microsoftonline.')) {
    return;
  }
  if (!pathname.endsWith('/v2.0')) {
    throw new TypeError(`issuer must end in /v2.0, without a slash, got ${JSON.stringify(issuer)}`);
  }
  if (!GUID.test(audience)) {
    throw new TypeError(
      `audience must be the application (client) id of the API, which is what version 2 tokens name, got ${JSON.stringify(audience)}`,
    );
  }
}

/** The tenant that an issuer names. */
export function tenantOf(issuer: string): string | undefined {
  return new URL(issuer).pathname.split('/').find((part) => GUID.test(part));
}

/**
 * Whether it is an access token, which a person's is by `scp` and an application's by its roles. Any application of the
 * tenant can get a token for any API, without roles: such a one may do nothing. `roles` alone are no sign: ID tokens
 * have them too.
 */
export function isEntraAccessToken(claims: Claims, tenant: string | undefined): boolean {
  if (tenant !== undefined && claims['tid'] !== undefined && claims['tid'] !== tenant) {
    return false;
  }
  return isNotEmpty(claims['scp']) || (isAppOnly(claims) && isNotEmpty(claims['roles']));
}

/** Whether an application got it for itself. */
export function isEntraService(claims: Claims): boolean {
  const { idtyp, oid, sub, scp } = claims;
  return idtyp === undefined ? !isNotEmpty(scp) || (oid !== undefined && oid === sub) : idtyp === 'app';
}

/** `idtyp` is an optional claim. Without it: a person's `sub` is never `oid`, and only applications prove who they are. */
function isAppOnly(claims: Claims): boolean {
  const { idtyp, oid, sub, azp, appid, azpacr, appidacr } = claims;
  if (idtyp !== undefined) {
    return idtyp === 'app';
  }
  const isForClient = azp !== undefined || appid !== undefined;
  const hasProved = ['1', '2'].includes(String(azpacr ?? appidacr));
  return isForClient && ((oid !== undefined && oid === sub) || hasProved);
}

function isNotEmpty(value: unknown): boolean {
  return typeof value === 'string'
    ? value.trim() !== ''
    : Array.isArray(value) && value.some((entry) => typeof entry === 'string' && entry !== '');
}
