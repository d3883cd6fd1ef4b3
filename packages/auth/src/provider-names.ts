/** The names of the identity providers whose tokens are known. `identity-server` and `duende` are the same. */
export const PROVIDERS = [
  'generic',
  'keycloak',
  'entra',
  'okta',
  'auth0',
  'cognito',
  'ping-federate',
  'identity-server',
  'duende',
  'ad-fs',
] as const;

/** An identity provider whose tokens are known. `generic` is one that follows RFC 9068. */
export type Provider = (typeof PROVIDERS)[number];
