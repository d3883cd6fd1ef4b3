import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** What a token says. */
export interface TokenOptions {
  /** Who is calling: the claim `sub`. */
  readonly subject: string;
  /** For whom the token is: the public URL of the server, in most set-ups. */
  readonly audience: string;
  /** What the client was given. @default none */
  readonly scopes?: readonly string[] | undefined;
  /** Which client it was given to. @default 'test-client' */
  readonly clientId?: string | undefined;
  /** More claims, or others: those of your identity provider. @default none */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** The `typ` of its header. @default 'at+jwt', as RFC 9068 has it */
  readonly type?: string | undefined;
  /** How long it is valid from now on, in seconds; below 0 it has ended. @default 300 */
  readonly expiresInSeconds?: number | undefined;
}

/** An identity provider on loopback, with keys of its own. */
export interface TestIssuer extends AsyncDisposable {
  /** The `iss` of its tokens; its metadata is where RFC 8414 and OpenID Connect look for it. */
  readonly url: string;
  readonly tokenFor: (options: TokenOptions) => Promise<string>;
  /** From now on signs with another key; a verifier finds it where it found the first. */
  readonly rotateKey: () => Promise<void>;
}

/** Starts an issuer on a free port of loopback: metadata, keys, and tokens that a verifier accepts as those of others. */
export async function startIssuer(): Promise<TestIssuer> {
  const keys: object[] = [];
  const addKey = async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const kid = String(keys.length + 1);
    keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' });
    return { kid, privateKey };
  };
  let key = await addKey();
  const server = createServer((request, response) => {
    const found = documentAt(request.url ?? '');
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? { error: 'not_found' }));
  });
  const documentAt = (path: string): object | undefined => {
    if (path === '/keys') {
      return { keys };
    }
    const isMetadata = /^\/\.well-known\/(?:oauth-authorization-server|openid-configuration)$/u.test(path);
    return isMetadata ? metadataOf(url) : undefined;
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this kind.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async rotateKey() {
      key = await addKey();
    },
    tokenFor({ subject, audience, ...options }) {
      const { scopes = [], clientId = 'test-client', claims = {} } = options;
      const { type = 'at+jwt', expiresInSeconds = 300 } = options;
      const issuedAt = Math.floor(Date.now() / 1000);
      const standard = {
        iss: url,
        sub: subject,
        aud: audience,
        client_id: clientId,
        scope: scopes.join(' '),
        jti: crypto.randomUUID(),
        iat: issuedAt,
        exp: issuedAt + expiresInSeconds,
      };
      return new SignJWT({ ...standard, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: type })
        .sign(key.privateKey);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function metadataOf(url: string): object {
  return {
    issuer: url,
    jwks_uri: `${url}/keys`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
