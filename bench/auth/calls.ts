import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  createAuthenticator,
  createKeyProofs,
  createPolicy,
  createTokenVerifier,
  type PresentedRequest,
} from '@mcp-parts/auth';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose';

const AUDIENCE = 'https://mcp.example.test/mcp';
const CALLS_PER_ROUND = 1_000;
const { signal } = new AbortController();

/** CPU time of one call, in microseconds, all threads together: verification runs beside the event loop. */
export interface CallFigures {
  readonly [what: string]: number;
}

const permissions = ['read', 'staging', 'production'].flatMap((action) =>
  Array.from({ length: 10 }, (_, area) => `area${area}:${action}`),
);
const groups = Array.from({ length: 50 }, (_, index) => `group-${index}`);
/** 30 permissions, 40 rules, callers in 50 groups: more than most organisations write. */
const policy = createPolicy({
  version: 1,
  permissions,
  groups,
  grants: Array.from({ length: 40 }, (_, index) => ({
    group: `group-${index}`,
    allow: [`area${index % 10}:*`],
  })),
  require: { 'area0:production': { allGroups: ['group-1'], scopes: ['area0:production'] } },
  scopes: { everything: ['*'] },
});

/** Measures each contender in every round, so that a change of load meets all of them. The median of the rounds. */
export async function measureCalls(rounds: number): Promise<CallFigures> {
  await using issuer = await startIssuer();
  const authenticator = createAuthenticator({
    verifier: createTokenVerifier({
      issuer: issuer.url,
      audience: AUDIENCE,
      algorithms: ['RS256', 'ES256'],
      jwksUrl: `${issuer.url}/jwks`,
    }),
    directory: { groupsOf: () => Promise.resolve(groups) },
    policy,
    proofs: createKeyProofs({ algorithms: ['ES256'] }),
  });
  const caller = await authenticator.authenticate(`Bearer ${await issuer.token('RS256')}`, { signal });
  const contenders: Record<string, () => Promise<() => unknown>> = {
    'jose alone, RS256': bare(issuer, 'RS256'),
    'sign-in, RS256': async () => {
      const header = `Bearer ${await issuer.token('RS256')}`;
      return () => authenticator.authenticate(header, { signal });
    },
    'jose alone, ES256': bare(issuer, 'ES256'),
    'sign-in, ES256': async () => {
      const header = `Bearer ${await issuer.token('ES256')}`;
      return () => authenticator.authenticate(header, { signal });
    },
    'sign-in, ES256 with DPoP': async () => {
      const requests = await issuer.boundRequests(CALLS_PER_ROUND);
      let next = 0;
      return () => {
        const { header, request } = requests[next++ % requests.length] ?? {};
        return authenticator.authenticate(header, { signal, ...(request && { request }) });
      };
    },
    'policy: permissions of a caller': async () => () => policy.permissionsFor(caller),
    'policy: one decision': async () => () => policy.decide(caller, 'area0:production', { signal }),
  };

  const measured = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, prepare] of Object.entries(contenders)) {
      measured.get(name)?.push(await cpuOf(await prepare()));
    }
  }
  const figures = Object.fromEntries([...measured].map(([name, values]) => [name, median(values)]));
  await authenticator.close();
  return { ...figures, ...ratios(figures) };
}

/** How much of a sign-in is ours. */
function ratios(figures: CallFigures): CallFigures {
  const ratio = (algorithm: string) =>
    Math.round((100 * (figures[`sign-in, ${algorithm}`] ?? 0)) / (figures[`jose alone, ${algorithm}`] ?? 1)) /
    100;
  return {
    'ratio of sign-in to jose, RS256': ratio('RS256'),
    'ratio of sign-in to jose, ES256': ratio('ES256'),
  };
}

async function cpuOf(call: () => unknown): Promise<number> {
  for (let warm = 0; warm < CALLS_PER_ROUND / 10; warm += 1) {
    await Promise.resolve(call()).catch(() => undefined);
  }
  const before = process.cpuUsage();
  for (let done = 0; done < CALLS_PER_ROUND; done += 1) {
    await call();
  }
  const { user, system } = process.cpuUsage(before);
  return Math.round((10 * (user + system)) / CALLS_PER_ROUND) / 10;
}

type Issuer = Awaited<ReturnType<typeof startIssuer>>;

function bare(issuer: Issuer, algorithm: 'RS256' | 'ES256') {
  return async () => {
    const token = await issuer.token(algorithm);
    const keys = createLocalJWKSet({ keys: issuer.keys });
    return () => jwtVerify(token, keys, { issuer: issuer.url, audience: AUDIENCE, typ: 'at+jwt' });
  };
}

async function startIssuer() {
  const pairs = {
    RS256: await generateKeyPair('RS256', { extractable: true }),
    ES256: await generateKeyPair('ES256', { extractable: true }),
  };
  const keys = await Promise.all(
    Object.entries(pairs).map(async ([alg, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid: alg,
      alg,
    })),
  );
  const server = createServer((_request, response) => void response.end(JSON.stringify({ keys })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const token = (algorithm: keyof typeof pairs, claims: object = {}) =>
    new SignJWT({ client_id: 'editor', scope: 'everything area0:production', ...claims })
      .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: algorithm })
      .setIssuer(url)
      .setAudience(AUDIENCE)
      .setSubject('alice')
      .setIssuedAt()
      .setExpirationTime('10 min')
      .sign(pairs[algorithm].privateKey);

  return {
    url,
    keys,
    token,
    /** Each proof is good once, so they are made before the clock runs; the warm-up has some of its own. */
    async boundRequests(count: number): Promise<readonly { header: string; request: PresentedRequest }[]> {
      const client = await generateKeyPair('ES256', { extractable: true });
      const jwk = await exportJWK(client.publicKey);
      const bound = await token('ES256', { cnf: { jkt: await calculateJwkThumbprint(jwk) } });
      const ath = createHash('sha256').update(bound).digest('base64url');
      return Promise.all(
        Array.from({ length: count * 1.1 }, async () => {
          const dpop = await new SignJWT({ jti: randomUUID(), htm: 'POST', htu: AUDIENCE, ath })
            .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
            .setIssuedAt()
            .sign(client.privateKey);
          return { header: `DPoP ${bound}`, request: { method: 'POST', url: AUDIENCE, dpop } };
        }),
      );
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
