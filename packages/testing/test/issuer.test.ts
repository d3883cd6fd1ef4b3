import { startIssuer } from '@mcp-parts/testing';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';

const AUDIENCE = 'https://mcp.example.com/mcp';

it('signs tokens that a verifier accepts, also after its key has changed', async () => {
  await using issuer = await startIssuer();
  const token = (claims = {}) =>
    issuer.tokenFor({ subject: 'ada', audience: AUDIENCE, scopes: ['a', 'b'], claims });
  const metadata = await fetch(`${issuer.url}/.well-known/oauth-authorization-server`);
  const { jwks_uri: keysUrl, issuer: name } = (await metadata.json()) as Record<string, string>;
  const verify = (jwt: string) =>
    jwtVerify(jwt, createRemoteJWKSet(new URL(String(keysUrl))), {
      issuer: issuer.url,
      audience: AUDIENCE,
      typ: 'at+jwt',
    });

  const first = await token({ groups: ['platform'] });
  await issuer.rotateKey();
  const second = await token();

  expect(name).toBe(issuer.url);
  expect((await verify(first)).payload).toMatchObject({ sub: 'ada', scope: 'a b', groups: ['platform'] });
  expect((await verify(second)).protectedHeader.kid).toBe('2');
  const ended = await issuer.tokenFor({ subject: 'ada', audience: AUDIENCE, expiresInSeconds: -1 });
  await expect(verify(ended)).rejects.toThrow('exp');
});
