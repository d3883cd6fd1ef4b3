import { AUDIENCE } from '../local-issuer.ts';
import type { Profiles } from './profile.ts';

const duendeUser = {
  aud: AUDIENCE,
  sub: '123',
  client_id: 'editor',
  scope: ['openid', 'deploy:read'],
  jti: '9F',
  nbf: 1,
  auth_time: 1,
  idp: 'local',
};

export const identityServer: Profiles = {
  'Duende IdentityServer': {
    provider: 'identity-server',
    path: '',
    user: {
      typ: 'at+jwt',
      claims: duendeUser,
      is: { kind: 'user', subject: '123', scopes: ['openid', 'deploy:read'] },
    },
    service: {
      typ: 'at+jwt',
      claims: { ...duendeUser, sub: undefined, auth_time: undefined, idp: undefined, client_id: 'robot' },
      is: { kind: 'service', subject: 'robot', clientId: 'robot' },
    },
    refused: {
      'ID token': { typ: 'JWT', claims: { aud: AUDIENCE, sub: '123', sid: 's' } },
      'person without subject': { typ: 'at+jwt', claims: { ...duendeUser, sub: undefined } },
    },
  },
};
