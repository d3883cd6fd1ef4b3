import { AUDIENCE } from '../local-issuer.ts';
import type { Profiles } from './profile.ts';

const auth0User = {
  aud: [AUDIENCE, 'ISSUERuserinfo'],
  sub: 'auth0|6553',
  azp: 'editor',
  scope: 'openid deploy:read',
  permissions: ['deploy:read', 'deploy:staging'],
};

export const auth0: Profiles = {
  Auth0: {
    provider: 'auth0',
    path: '/',
    user: {
      typ: 'JWT',
      claims: auth0User,
      is: { kind: 'user', subject: 'auth0|6553', clientId: 'editor', scopes: ['openid', 'deploy:read'] },
    },
    service: {
      typ: 'JWT',
      claims: { ...auth0User, aud: AUDIENCE, sub: 'robot@clients', azp: 'robot', gty: 'client-credentials' },
      is: { kind: 'service', clientId: 'robot' },
    },
    refused: {
      'ID token': { typ: 'JWT', claims: { aud: AUDIENCE, sub: 'auth0|6553', sid: 's', name: 'Jo' } },
      'ID token with azp': { typ: 'JWT', claims: { aud: AUDIENCE, sub: 'auth0|6553', azp: AUDIENCE } },
      'ID token with nonce': { typ: 'JWT', claims: { ...auth0User, nonce: 'n' } },
      'token for another server too': {
        typ: 'JWT',
        claims: { ...auth0User, aud: [AUDIENCE, 'https://x.test/userinfo'] },
      },
    },
  },
  'Auth0 with RFC 9068 and permissions': {
    provider: 'auth0',
    path: '/',
    options: { scopeClaims: ['permissions'] },
    user: {
      typ: 'at+jwt',
      claims: { ...auth0User, azp: undefined, client_id: 'editor', jti: '73Wa' },
      is: { kind: 'user', clientId: 'editor', scopes: ['deploy:read', 'deploy:staging'] },
    },
    service: {
      typ: 'at+jwt',
      claims: { ...auth0User, azp: undefined, client_id: 'robot', sub: 'robot@clients' },
      is: { kind: 'service' },
    },
    refused: {},
  },
};
