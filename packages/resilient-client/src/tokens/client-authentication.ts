import type { webcrypto } from 'node:crypto';

import type { ClientCertificate } from '../http/undici-transport.ts';

/** A key that signs client assertions. */
export interface ClientKey {
  /** Private, with the usage `sign`: RS256, PS256, ES256, EdDSA and their kin. */
  readonly key: webcrypto.CryptoKey;
  /** Under which id the authorization server knows its public half. @default no `kid` in the assertion */
  readonly keyId?: string | undefined;
}

/**
 * How a client proves to an authorization server who it is. The functions are read before each token request, so that
 * a rotated secret, key or certificate is picked up.
 * @see RFC 6749 §2.3.1 (secrets), RFC 7523 §2.2 (`private_key_jwt`), RFC 8705 §2 (`tls_client_auth`)
 */
export type ClientAuthentication =
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post';
      readonly clientSecret: () => string | Promise<string>;
    }
  | { readonly method: 'private_key_jwt'; readonly privateKey: () => ClientKey | Promise<ClientKey> }
  | {
      /** Also for self-signed certificates. */
      readonly method: 'tls_client_auth';
      readonly certificate: () => ClientCertificate | Promise<ClientCertificate>;
    };
