import { AUDIENCE } from '../local-issuer.ts';
import type { Profiles } from './profile.ts';

const adfsUser = {
  aud: AUDIENCE,
  sub: 'hash',
  upn: 'jo@example.test',
  appid: 'editor',
  apptype: 'Public',
  scp: 'deploy:read',
  ver: '1.0',
};

export const adFs: Profiles = {
  'AD FS': {
    provider: 'ad-fs',
    path: '/adfs/services/trust',
    user: { typ: 'JWT', claims: adfsUser, is: { kind: 'user', clientId: 'editor' } },
    service: {
      typ: 'JWT',
      claims: { ...adfsUser, upn: undefined, apptype: 'Confidential' },
      is: { kind: 'service' },
    },
    refused: { 'ID token': { typ: 'JWT', claims: { aud: AUDIENCE, sub: 'hash', upn: 'jo@example.test' } } },
  },
};
