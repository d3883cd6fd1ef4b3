/** What the settings of an identity provider look like; docs/identity-providers.md says what to set there. */
export interface AuthProfile {
  /** An example of its issuer. */
  readonly issuer: string;
  /** The claim with the groups of the caller, where tokens have one. @default groups come from the directory file */
  readonly groupsClaim?: string | undefined;
  /** An example of the audience, where it is not the URL of the server. */
  readonly audience?: string | undefined;
}

/** By the name that `AUTH_PROVIDER` has. A test compares the names with those of `@mcp-parts/auth`. */
export const PROFILES: ReadonlyMap<string, AuthProfile> = new Map([
  ['generic', { issuer: 'https://identity.example.com' }],
  ['keycloak', { issuer: 'https://keycloak.example.com/realms/acme', groupsClaim: 'realm_access.roles' }],
  [
    'entra',
    {
      issuer: 'https://login.microsoftonline.com/8f0c5a44-1f6e-4c0a-9d49-5b1b6a6c9a10/v2.0',
      audience: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      groupsClaim: 'groups',
    },
  ],
  ['okta', { issuer: 'https://acme.okta.com/oauth2/aus9o8wzjh5tKPoOK5d7', groupsClaim: 'groups' }],
  ['auth0', { issuer: 'https://acme.eu.auth0.com/', groupsClaim: 'https://mcp.example.com/groups' }],
  [
    'cognito',
    {
      issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aB3dEfGhI',
      groupsClaim: 'cognito:groups',
    },
  ],
  ['ping-federate', { issuer: 'https://ping.example.com' }],
  ['identity-server', { issuer: 'https://identity.example.com' }],
  ['duende', { issuer: 'https://identity.example.com' }],
  ['ad-fs', { issuer: 'http://fs.example.com/adfs/services/trust' }],
]);

/** The settings of a provider, as environment variables with values to replace. */
export function authSettings(auth: string, serverUrl: string): readonly (readonly [string, string])[] {
  const profile = PROFILES.get(auth);
  if (profile === undefined) {
    return [];
  }
  const { issuer, audience, groupsClaim } = profile;
  return [
    ['AUTH_PROVIDER', auth],
    ['AUTH_ISSUER', issuer],
    ['AUTH_AUDIENCE', audience ?? serverUrl],
    ...(audience === undefined ? [] : [['AUTH_RESOURCE', serverUrl] as const]),
    ...(groupsClaim === undefined ? [] : [['AUTH_GROUPS_CLAIM', groupsClaim] as const]),
  ];
}
