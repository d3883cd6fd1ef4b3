import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

export const AUDIENCE = 'https://mcp.example.test/mcp';

/** An authorization server with real sockets and keys; every test starts its own. */
export interface LocalIssuer {
  readonly issuer: string;
  readonly publicJwk: JWK;
  /** Requests received, by path. */
  readonly requests: Map<string, number>;
  /** What the server answers instead, until it is undefined again. */
  fault: 'status' | 'garbage' | 'redirect' | 'other-issuer' | 'hang' | undefined;
  /** A token as RFC 9068 wants it, with claims and header fields replaced; `undefined` removes one. */
  readonly token: (claims?: JWTPayload, header?: Record<string, unknown>) => Promise<string>;
  /** Publishes a new key under `kid` in place of the current one and signs with it. */
  readonly rotate: (kid: string | undefined) => Promise<void>;
  /** Where the keys are. */
  keysPath: string;
  /** Public keys that are published beside the current one, before it. */
  readonly others: JWK[];
  readonly close: () => Promise<void>;
}

export async function startIssuer(now: () => number = () => Date.now()): Promise<LocalIssuer> {
  let { privateKey, jwk } = await newKey('key-1');
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.set(path, (requests.get(path) ?? 0) + 1);
    const json = (body: object): void => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    };
    if (result.fault === 'hang') {
      return;
    }
    if (result.fault === 'status') {
      return void response.writeHead(500).end();
    }
    if (result.fault === 'garbage') {
      return void response.end('<html>');
    }
    if (result.fault === 'redirect') {
      return void response.writeHead(302, { location: '/jwks' }).end();
    }
    if (path === result.keysPath) {
      return json({ keys: [...result.others, jwk] });
    }
    if (path === '/.well-known/openid-configuration') {
      const issuer = result.fault === 'other-issuer' ? 'https://other.example.test' : result.issuer;
      return json({ issuer, jwks_uri: `${result.issuer}${result.keysPath}` });
    }
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;

  const result: LocalIssuer = {
    issuer: `http://127.0.0.1:${port}`,
    get publicJwk() {
      return jwk;
    },
    requests,
    keysPath: '/jwks',
    others: [],
    fault: undefined,
    async token(claims = {}, header = {}) {
      const at = Math.floor(now() / 1000);
      const payload: JWTPayload = {
        iss: result.issuer,
        aud: AUDIENCE,
        sub: 'alice',
        client_id: 'editor',
        scope: 'deploy:write',
        iat: at,
        exp: at + 300,
        jti: 'token-1',
        ...claims,
      };
      return new SignJWT(JSON.parse(JSON.stringify(payload)))
        .setProtectedHeader(
          JSON.parse(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: jwk.kid, ...header })),
        )
        .sign(privateKey);
    },
    async rotate(kid) {
      ({ privateKey, jwk } = await newKey(kid));
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return result;
}

/** A token put together by hand, for what no honest library signs. */
export function forgeToken(header: object, claims: object, signature: Uint8Array | string = ''): string {
  const encode = (value: object): string => base64url.encode(JSON.stringify(value));
  return `${encode(header)}.${encode(claims)}.${base64url.encode(signature)}`;
}

/** `undefined`: one without an id. */
export async function newKey(kid: string | undefined): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }) };
  return { privateKey, jwk: { ...jwk, alg: 'ES256', use: 'sig' } };
}
