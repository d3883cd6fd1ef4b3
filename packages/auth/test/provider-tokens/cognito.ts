import { AUDIENCE } from '../local-issuer.ts';
import { USER } from './profile.ts';
import type { Profiles } from './profile.ts';

const cognitoUser = {
  sub: USER,
  client_id: 'editor',
  token_use: 'access',
  scope: `openid ${AUDIENCE}/deploy:read`,
  username: 'jo',
  version: 2,
  jti: 'ee55',
  'cognito:groups': ['ops'],
};

export const cognito: Profiles = {
  Cognito: {
    provider: 'cognito',
    path: '/eu-west-1_aB',
    options: { clients: ['editor', 'robot'], groups: { claim: 'cognito:groups' } },
    user: {
      claims: cognitoUser,
      is: {
        kind: 'user',
        subject: USER,
        clientId: 'editor',
        scopes: ['openid', 'deploy:read'],
        tokenGroups: ['ops'],
      },
    },
    service: {
      claims: {
        ...cognitoUser,
        sub: 'robot',
        client_id: 'robot',
        username: undefined,
        'cognito:groups': undefined,
      },
      is: { kind: 'service', clientId: 'robot' },
    },
    refused: {
      'ID token': { claims: { ...cognitoUser, token_use: 'id', aud: AUDIENCE } },
      'token of no use': { claims: { ...cognitoUser, token_use: undefined, aud: AUDIENCE } },
      'unknown client': { claims: { ...cognitoUser, client_id: 'stranger' } },
      'unknown client with our audience': {
        claims: { ...cognitoUser, client_id: 'stranger', aud: AUDIENCE },
      },
      'scope of another server': {
        claims: { ...cognitoUser, scope: 'openid https://other.test/deploy:read' },
      },
      'scope that only begins like ours': { claims: { ...cognitoUser, scope: `${AUDIENCE}/` } },
      'other audience': { claims: { ...cognitoUser, aud: 'https://other.test' } },
    },
  },
};
