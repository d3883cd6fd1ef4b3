import { AUDIENCE } from '../local-issuer.ts';
import { USER } from './profile.ts';
import type { Profiles } from './profile.ts';

const keycloakUser = {
  aud: [AUDIENCE, 'account'],
  sub: USER,
  typ: 'Bearer',
  azp: 'editor',
  sid: 'aa11',
  jti: 'onrtac:6d2e',
  acr: '1',
  scope: 'openid deploy:read',
  preferred_username: 'jo',
  email: 'jo@example.test',
  email_verified: false,
  realm_access: { roles: ['ops'] },
  groups: ['/platform/deployers'],
};

export const keycloak: Profiles = {
  Keycloak: {
    provider: 'keycloak',
    path: '/realms/acme',
    options: { groups: { claim: 'realm_access.roles' } },
    user: {
      typ: 'JWT',
      claims: keycloakUser,
      is: {
        kind: 'user',
        subject: USER,
        clientId: 'editor',
        scopes: ['openid', 'deploy:read'],
        tokenGroups: ['ops'],
        email: undefined,
      },
    },
    service: {
      typ: 'JWT',
      claims: {
        ...keycloakUser,
        sid: undefined,
        azp: 'Robot',
        client_id: 'Robot',
        jti: 'trrtcc:1',
        scope: 'deploy:read',
        preferred_username: 'service-account-robot',
        clientHost: '192.0.2.1',
        clientAddress: '192.0.2.1',
      },
      is: { kind: 'service', clientId: 'Robot', scopes: ['deploy:read'] },
    },
    refused: {
      'ID token': { typ: 'JWT', claims: { ...keycloakUser, typ: 'ID', scope: undefined, aud: AUDIENCE } },
      'ID token with nonce': { typ: 'JWT', claims: { ...keycloakUser, nonce: 'n' } },
      'refresh token': { typ: 'JWT', claims: { ...keycloakUser, typ: 'Refresh' } },
      'offline token': { typ: 'JWT', claims: { ...keycloakUser, typ: 'Offline' } },
      'logout token': { typ: 'logout+jwt', claims: { ...keycloakUser, typ: 'Logout', events: {} } },
      'token of no kind': { typ: 'JWT', claims: { ...keycloakUser, typ: undefined } },
      'action token': { typ: 'JWT', claims: { ...keycloakUser, typ: 'reset-credentials' } },
      'token for account alone': { typ: 'JWT', claims: { ...keycloakUser, aud: 'account' } },
      'token for another server too': {
        typ: 'JWT',
        claims: { ...keycloakUser, aud: [AUDIENCE, 'account', 'broker'] },
      },
      'lightweight token': { typ: 'JWT', claims: { ...keycloakUser, sub: undefined } },
    },
  },
  'Keycloak with RFC 9068': {
    provider: 'keycloak',
    path: '/realms/acme',
    options: { scopeClaims: ['scope', 'resource_access.mcp.server.roles'] },
    user: {
      typ: 'at+jwt',
      claims: {
        ...keycloakUser,
        resource_access: { 'mcp.server': { roles: ['deploy:staging', 'two words'] } },
      },
      is: { kind: 'user', scopes: ['openid', 'deploy:read', 'deploy:staging'] },
    },
    refused: {
      'refresh token': { typ: 'at+jwt', claims: { ...keycloakUser, typ: 'Refresh' } },
      'roles that are no list': {
        typ: 'at+jwt',
        claims: { ...keycloakUser, resource_access: { 'mcp.server': { roles: { a: 1 } } } },
      },
    },
  },
};
