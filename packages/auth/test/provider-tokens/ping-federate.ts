import { AUDIENCE } from '../local-issuer.ts';
import type { Profiles } from './profile.ts';

const pingUser = { aud: AUDIENCE, sub: 'jo', client_id: 'editor', scope: 'deploy:read', jti: 'x1' };

export const pingFederate: Profiles = {
  PingFederate: {
    provider: 'ping-federate',
    path: '',
    user: { claims: pingUser, is: { kind: 'user', clientId: 'editor', scopes: ['deploy:read'] } },
    service: { claims: { ...pingUser, sub: 'editor' }, is: { kind: 'service' } },
    refused: {
      'ID token': { claims: { aud: AUDIENCE, sub: 'jo', 'pi.sri': 'x' } },
      'token without subject': { claims: { ...pingUser, sub: undefined } },
    },
  },
};
