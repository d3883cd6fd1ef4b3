import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';

import { Provider, type AdapterPayload, type ClientMetadata, type JWK } from 'oidc-provider';

import { selfSigned } from './self-signed.ts';

/** The service that its tokens are for. */
export const RESOURCE = 'https://things.example';

/** A real authorization server on loopback, over HTTPS when clients may show certificates. */
export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Its own certificate, in PEM; empty over plain HTTP. */
  readonly ca: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
}

export async function startIdentityProvider(options: {
  signingKey: JWK;
  clients: readonly (Omit<ClientMetadata, 'redirect_uris'> & { client_id: string })[];
  tls?: boolean;
}): Promise<IdentityProvider> {
  const own = selfSigned('identity provider');
  const server = options.tls
    ? createHttpsServer({ key: own.key, cert: own.cert, requestCert: true, rejectUnauthorized: false })
    : createHttpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    adapter: createAdapter(),
    jwks: { keys: [options.signingKey] },
    cookies: { keys: [], long: { signed: false }, short: { signed: false } },
    clients: options.clients.map((client) => ({
      ...client,
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: 'ES256',
      redirect_uris: [],
      response_types: [],
    })),
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'self_signed_tls_client_auth',
    ],
    scopes: ['things:read'],
    ttl: { ClientCredentials: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      mTLS: {
        enabled: true,
        selfSignedTlsClientAuth: true,
        getCertificate: ({ socket }) =>
          socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.toString() : undefined,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        getResourceServerInfo: () => ({
          scope: 'things:read',
          audience: RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  const requests: string[] = [];
  const handle = provider.callback();
  server.on('request', (request, response) => {
    requests.push(request.url ?? '');
    void handle(request, response);
  });
  return {
    issuer,
    ca: options.tls ? own.cert : '',
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function createAdapter() {
  const records = new Map<string, AdapterPayload>();
  return (model: string) => ({
    upsert: async (id: string, payload: AdapterPayload) => void records.set(`${model}:${id}`, payload),
    find: async (id: string) => records.get(`${model}:${id}`),
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
    consume: async () => {},
    destroy: async (id: string) => void records.delete(`${model}:${id}`),
    revokeByGrantId: async () => {},
  });
}
