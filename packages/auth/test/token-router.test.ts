import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createAuthenticator, createPolicy, createTokenRouter, createTokenVerifier } from '../src/index.ts';
import type { GroupClaimOptions, PolicyDocument, TokenVerifier } from '../src/index.ts';
import { AUDIENCE, startIssuer } from './local-issuer.ts';
import type { LocalIssuer } from './local-issuer.ts';

const { signal } = new AbortController();
const document: PolicyDocument = {
  version: 1,
  permissions: ['deploy:staging'],
  groups: ['platform'],
  grants: [{ group: 'platform', allow: ['*'] }],
};

let staff: LocalIssuer;
let partner: LocalIssuer;
let opened: TokenVerifier[];
beforeEach(async () => {
  [staff, partner] = await Promise.all([startIssuer(), startIssuer()]);
  opened = [];
});
afterEach(async () => {
  for (const verifier of opened) {
    await verifier.close();
  }
  await Promise.all([staff.close(), partner.close()]);
});

function verifierOf(issuer: LocalIssuer, groups?: GroupClaimOptions, audience = AUDIENCE): TokenVerifier {
  const verifier = createTokenVerifier({
    issuer: issuer.issuer,
    audience,
    algorithms: ['ES256'],
    jwksUrl: `${issuer.issuer}/jwks`,
    ...(groups && { groups }),
  });
  opened.push(verifier);
  return verifier;
}

describe('createTokenRouter', () => {
  it('takes the tokens of each issuer, and subjects of the same name stay two people', async () => {
    const router = createTokenRouter({ jwt: [verifierOf(staff), verifierOf(partner)] });
    const ids = [];
    for (const issuer of [staff, partner]) {
      ids.push((await router.verify(await issuer.token(), { signal })).id);
    }
    expect(ids).toEqual([`${staff.issuer}#alice`, `${partner.issuer}#alice`]);
  });

  it("refuses a token of one issuer that another issuer's key has signed", async () => {
    const router = createTokenRouter({ jwt: [verifierOf(staff), verifierOf(partner)] });
    await expect(router.verify(await partner.token({ iss: staff.issuer }), { signal })).rejects.toMatchObject(
      {
        code: 'invalid_token',
        message: expect.stringContaining('SIGNATURE'),
      },
    );
  });

  it.each([
    ['another issuer', (issuer: string) => `${issuer}.evil.test`],
    ['a trailing slash more', (issuer: string) => `${issuer}/`],
    ['another case', (issuer: string) => issuer.toUpperCase()],
    ['a number', () => 7],
    ['nothing', () => undefined],
  ])('refuses an iss that is %s, without asking any issuer', async (_, change) => {
    const router = createTokenRouter({ jwt: [verifierOf(staff), verifierOf(partner)] });
    const token = await staff.token({ iss: change(staff.issuer) as string });
    await expect(router.verify(token, { signal })).rejects.toMatchObject({
      message: expect.stringContaining('issuer that is not accepted'),
    });
    expect(staff.requests.size + partner.requests.size).toBe(0);
  });

  it("holds each issuer to its own audience: one issuer's audience is no audience of the other", async () => {
    const other = 'https://other.example.test/mcp';
    const router = createTokenRouter({ jwt: [verifierOf(staff), verifierOf(partner, undefined, other)] });
    await expect(router.verify(await partner.token({ aud: other }), { signal })).resolves.toBeDefined();
    await expect(router.verify(await staff.token({ aud: other }), { signal })).rejects.toMatchObject({
      message: expect.stringContaining('another audience'),
    });
  });

  it('refuses what is no JWT when nobody can introspect it', async () => {
    const router = createTokenRouter({ jwt: [verifierOf(staff)] });
    await expect(router.verify('opaque', { signal })).rejects.toMatchObject({
      message: 'token refused: not a JWT',
    });
  });

  it('needs one verifier per issuer', () => {
    expect(() => createTokenRouter({ jwt: [] })).toThrow(TypeError);
    expect(() => createTokenRouter({ jwt: [verifierOf(staff), verifierOf(staff)] })).toThrow(
      `two verifiers for the issuer ${staff.issuer}`,
    );
  });
});

describe('several issuers and one policy', () => {
  it('does not start while a service grant leaves open whose service it is', () => {
    const verifier = createTokenRouter({ jwt: [verifierOf(staff), verifierOf(partner)] });
    const grants = [{ service: 'ci-bot', allow: ['*'] }];
    expect(() => createAuthenticator({ verifier, policy: createPolicy({ ...document, grants }) })).toThrow(
      'the grant of service ci-bot must name its issuer',
    );
  });

  it('gives a service grant to the client of that issuer only', async () => {
    const verifier = createTokenRouter({ jwt: [verifierOf(staff), verifierOf(partner)] });
    const grants = [{ service: 'ci-bot', issuer: staff.issuer, allow: ['*'] }];
    const policy = createPolicy({ ...document, grants });
    await using authenticator = createAuthenticator({ verifier, policy });
    const claims = { sub: 'ci-bot', client_id: 'ci-bot', scope: 'deploy:staging' };
    const held = async (issuer: LocalIssuer) =>
      (await authenticator.authenticateToken(await issuer.token(claims), { signal })).permissions;
    expect(await held(staff)).toEqual(['deploy:staging']);
    expect(await held(partner)).toEqual([]);
  });
});

describe('groups in the token', () => {
  const claims = { scope: 'deploy:staging', groups: ['platform', 'other'] };
  const groupsWith = async (verifier: TokenVerifier, token: string, groups?: readonly string[]) => {
    await using authenticator = createAuthenticator({
      verifier,
      policy: createPolicy(document),
      ...(groups && { directory: { groupsOf: async () => groups } }),
    });
    const caller = await authenticator.authenticateToken(token, { signal });
    expect(caller).not.toHaveProperty('tokenGroups');
    return caller.groups;
  };

  it('count only from an issuer that is trusted with them', async () => {
    expect(await groupsWith(verifierOf(staff), await staff.token(claims))).toEqual([]);
    expect(await groupsWith(verifierOf(staff, { claim: 'groups' }), await staff.token(claims))).toEqual([
      'platform',
      'other',
    ]);
  });

  it('take the names of the policy, and those without one are dropped', async () => {
    const verifier = verifierOf(staff, { claim: 'groups', names: { 'b1a5-00': 'platform' } });
    const groups = ['b1a5-00', 'b1a5-01', 'platform', 'constructor'];
    expect(await groupsWith(verifier, await staff.token({ groups }))).toEqual(['platform']);
  });

  it('are never kept for the next token of the same user', async () => {
    const verifier = verifierOf(staff, { claim: 'groups' });
    await using authenticator = createAuthenticator({ verifier, policy: createPolicy(document) });
    const call = async (groups: string[]) =>
      (await authenticator.authenticateToken(await staff.token({ groups }), { signal })).groups;
    expect(await call(['platform'])).toEqual(['platform']);
    expect(await call([])).toEqual([]);
  });

  it.each([
    [
      '_claim_names',
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://g.test' } } },
    ],
    ['hasgroups', { hasgroups: true }],
  ])('are looked up in the directory when there are too many (%s)', async (_, overage) => {
    const verifier = verifierOf(staff, { claim: 'groups' });
    expect(await groupsWith(verifier, await staff.token(overage), ['platform'])).toEqual(['platform']);
  });

  it('refuse the account by name of the reason when there are too many and no directory', async () => {
    const verifier = verifierOf(staff, { claim: 'groups' });
    const token = await staff.token({ _claim_names: { groups: 'src1' } });
    await expect(groupsWith(verifier, token)).rejects.toMatchObject({
      code: 'access_denied',
      message: expect.stringContaining('groups overage'),
    });
  });

  it.each([[{ platform: true }], [[1]], [['a\nb']], [[['platform']]]])(
    'refuse a token with groups of another shape: %j',
    async (groups) => {
      const verifier = verifierOf(staff, { claim: 'groups' });
      await expect(groupsWith(verifier, await staff.token({ groups }))).rejects.toMatchObject({
        code: 'invalid_token',
        message: 'token refused: unusable claims groups',
      });
    },
  );
});
