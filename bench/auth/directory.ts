import { performance } from 'node:perf_hooks';

import { createAuthenticator, openLdapDirectory, createPolicy, type Principal } from '@mcp-parts/auth';
import { startSlapd } from '@mcp-parts/test-services';

const CALLERS = 1_000;
const CALLS_EACH = 5;
const suffix = 'dc=bench,dc=test';
const issuer = 'https://idp.example.test';
const { signal } = new AbortController();

const policy = createPolicy({
  version: 1,
  permissions: ['deploy:staging'],
  groups: ['platform'],
  grants: [{ group: 'platform', allow: ['deploy:*'] }],
});

/** What an OpenLDAP directory costs: asked for each caller, and asked by all of them at once with nothing cached. */
export interface DirectoryFigures {
  /** Look-ups of a user with groups three levels deep, 50 at once, nothing cached. Four searches each. */
  readonly lookupsPerSecond: number;
  readonly lookupCpuMicroseconds: number;
  /** 1,000 callers, five calls each, all at the same moment. */
  readonly stampede: {
    readonly calls: number;
    readonly callers: number;
    /** What the server counted. */
    readonly userSearches: number;
    readonly searchesForOneCallerAtMost: number;
    readonly milliseconds: number;
    readonly callsPerSecond: number;
  };
  /** The same calls again. */
  readonly cached: { readonly callsPerSecond: number; readonly cpuMicrosecondsPerCall: number };
}

/** Starts OpenLDAP and measures once. @throws Error when slapd is not installed */
export async function measureDirectory(): Promise<DirectoryFigures> {
  await using slapd = await startSlapd({ suffix, ldif: tree() });
  await using directory = await openLdapDirectory({
    urls: [slapd.url],
    allowCleartextOnLoopback: true,
    bind: slapd.administrator,
    users: { issuer, baseDn: `ou=people,${suffix}`, attribute: 'uid' },
    groups: { baseDn: `ou=groups,${suffix}`, names: { [`cn=level-2,ou=groups,${suffix}`]: 'platform' } },
    // How long it takes is the result here.
    timeoutMs: 60_000,
  });
  const principals = Array.from({ length: CALLERS }, (_, index) => principal(`user-${index}`));
  const [first] = principals;
  if (first !== undefined) {
    await directory.groupsOf(first, { signal });
  }

  const lookups = await timed(() =>
    Promise.all(principals.map((principal) => directory.groupsOf(principal, { signal }))),
  );

  await using authenticator = createAuthenticator({
    // Verification has figures of its own.
    verifier: { verify: async (token) => principal(token) },
    directory,
    policy,
  });
  const tokens = Array.from({ length: CALLERS * CALLS_EACH }, (_, index) => `user-${index % CALLERS}`);
  const callAll = () =>
    Promise.all(tokens.map((token) => authenticator.authenticateToken(token, { signal })));
  const before = slapd.searches.length;
  const cold = await timed(callAll);
  const userSearches = slapd.searches.slice(before).filter((filter) => filter.includes('(uid='));
  const counts = Map.groupBy(userSearches, (filter) => filter);
  const warm = await timed(callAll);
  return {
    lookupsPerSecond: perSecond(CALLERS, lookups.milliseconds),
    lookupCpuMicroseconds: Math.round(lookups.cpuMicroseconds / CALLERS),
    stampede: {
      calls: tokens.length,
      callers: CALLERS,
      userSearches: userSearches.length,
      searchesForOneCallerAtMost: Math.max(...[...counts.values()].map((searches) => searches.length)),
      milliseconds: Math.round(cold.milliseconds),
      callsPerSecond: perSecond(tokens.length, cold.milliseconds),
    },
    cached: {
      callsPerSecond: perSecond(tokens.length, warm.milliseconds),
      cpuMicrosecondsPerCall: Math.round((warm.cpuMicroseconds / tokens.length) * 10) / 10,
    },
  };
}

function principal(subject: string): Principal {
  const scopes = ['deploy:staging'];
  return { id: `${issuer}#${subject}`, issuer, subject, kind: 'user', scopes, expiresAt: 4e12 };
}

function tree(): string {
  const user = (index: number): string => `uid=user-${index},ou=people,${suffix}`;
  const users = Array.from({ length: CALLERS }, (_, index) => index);
  const group = (cn: string, members: readonly string[]): string =>
    `dn: cn=${cn},ou=groups,${suffix}\nobjectClass: groupOfNames\n${members.map((member) => `member: ${member}\n`).join('')}`;
  return [
    `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: bench\no: bench\n`,
    ...['people', 'groups'].map(
      (ou) => `dn: ou=${ou},${suffix}\nobjectClass: organizationalUnit\nou: ${ou}\n`,
    ),
    ...users.map((n) => `dn: ${user(n)}\nobjectClass: inetOrgPerson\nuid: user-${n}\ncn: ${n}\nsn: ${n}\n`),
    group('level-0', users.map(user)),
    group('level-1', [`cn=level-0,ou=groups,${suffix}`]),
    group('level-2', [`cn=level-1,ou=groups,${suffix}`]),
  ].join('\n');
}

async function timed(
  work: () => Promise<unknown>,
): Promise<{ milliseconds: number; cpuMicroseconds: number }> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { milliseconds: performance.now() - startedAt, cpuMicroseconds: user + system };
}

function perSecond(count: number, milliseconds: number): number {
  return Math.round((count / milliseconds) * 1_000);
}
