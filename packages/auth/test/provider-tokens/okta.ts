import { AUDIENCE } from '../local-issuer.ts';
import type { Profiles } from './profile.ts';

const oktaUser = {
  ver: 1,
  jti: 'AT.0mP4',
  aud: AUDIENCE,
  sub: 'jo@example.test',
  uid: '00uj1',
  cid: 'editor',
  scp: ['deploy:read'],
  auth_time: 1,
};

export const okta: Profiles = {
  Okta: {
    provider: 'okta',
    path: '/oauth2/aus9',
    options: { groups: { claim: 'groups' } },
    user: {
      claims: { ...oktaUser, groups: ['platform'] },
      is: {
        kind: 'user',
        subject: '00uj1',
        clientId: 'editor',
        scopes: ['deploy:read'],
        tokenGroups: ['platform'],
      },
    },
    service: {
      claims: { ...oktaUser, uid: undefined, auth_time: undefined, cid: 'robot', sub: 'what an admin wrote' },
      is: { kind: 'service', subject: 'robot', clientId: 'robot' },
    },
    refused: {
      'ID token': { claims: { ...oktaUser, jti: 'ID.abc', cid: undefined, uid: undefined, scp: undefined } },
      'ID token with cid': { claims: { ...oktaUser, jti: 'ID.abc' } },
      'ID token with nonce': { claims: { ...oktaUser, nonce: 'n' } },
    },
  },
  'Okta with RFC 9068': {
    provider: 'okta',
    path: '/oauth2/default',
    user: { typ: 'application/at+jwt', claims: oktaUser, is: { kind: 'user', subject: '00uj1' } },
    refused: {},
  },
};
