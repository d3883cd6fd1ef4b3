import { AUDIENCE } from '../local-issuer.ts';
import { USER } from './profile.ts';
import type { Profiles } from './profile.ts';

const TENANT = '8f0c5a44-1f6e-4c0a-9d49-5b1b6a6c9a10';
const OTHER_TENANT = '11111111-1f6e-4c0a-9d49-5b1b6a6c9a10';
const entraUser = {
  aud: AUDIENCE,
  ver: '2.0',
  tid: TENANT,
  azp: 'editor',
  azpacr: '0',
  oid: USER,
  sub: 'HKZpairwise',
  scp: 'deploy:read',
  uti: 'fqiB',
};
const entraService = {
  aud: AUDIENCE,
  ver: '2.0',
  tid: TENANT,
  azp: 'robot',
  azpacr: '1',
  oid: USER,
  sub: USER,
  idtyp: 'app',
  roles: ['deploy:read'],
};
const entraId = {
  aud: AUDIENCE,
  ver: '2.0',
  tid: TENANT,
  oid: USER,
  sub: 'HKZpairwise',
  name: 'Jo',
  roles: ['deploy:read'],
};

export const entra: Profiles = {
  'Entra ID': {
    provider: 'entra',
    path: `/${TENANT}/v2.0`,
    options: { groups: { claim: 'groups', names: { 'cc94-1': 'platform' } } },
    user: {
      typ: 'JWT',
      claims: { ...entraUser, groups: ['cc94-1', 'dd05-2'], roles: ['deploy:production'] },
      is: {
        kind: 'user',
        subject: USER,
        clientId: 'editor',
        scopes: ['deploy:read'],
        tokenGroups: ['platform'],
      },
    },
    service: {
      typ: 'JWT',
      claims: entraService,
      is: { kind: 'service', subject: USER, clientId: 'robot', scopes: ['deploy:read'] },
    },
    refused: {
      'ID token': { typ: 'JWT', claims: entraId },
      'ID token with nonce': { typ: 'JWT', claims: { ...entraId, nonce: 'n' } },
      'application without roles': { typ: 'JWT', claims: { ...entraService, roles: undefined } },
      'application with empty roles': { typ: 'JWT', claims: { ...entraService, roles: [] } },
      'application without idtyp and roles': {
        typ: 'JWT',
        claims: { ...entraService, roles: undefined, idtyp: undefined },
      },
      'person without scopes': {
        typ: 'JWT',
        claims: { ...entraUser, scp: undefined, roles: ['deploy:read'] },
      },
      'person with empty scopes': { typ: 'JWT', claims: { ...entraUser, scp: ' ', roles: ['deploy:read'] } },
      'other tenant': { typ: 'JWT', claims: { ...entraUser, tid: OTHER_TENANT } },
      'person without oid': { typ: 'JWT', claims: { ...entraUser, oid: undefined } },
    },
  },
  'Entra ID without idtyp': {
    provider: 'entra',
    path: `/${TENANT}/v2.0`,
    options: { groups: { claim: 'groups' } },
    user: {
      typ: 'JWT',
      claims: { ...entraUser, hasgroups: 'true' },
      is: { kind: 'user', tokenGroups: 'overage' },
    },
    service: {
      typ: 'JWT',
      claims: { ...entraService, idtyp: undefined },
      is: { kind: 'service', scopes: ['deploy:read'] },
    },
    refused: {},
  },
  'Entra ID, version 1': {
    provider: 'entra',
    path: `/${TENANT}/`,
    user: {
      typ: 'JWT',
      claims: { ...entraUser, ver: '1.0', azp: undefined, azpacr: undefined, appid: 'editor', appidacr: '0' },
      is: { kind: 'user', clientId: 'editor', subject: USER },
    },
    service: {
      typ: 'JWT',
      claims: {
        ...entraService,
        ver: '1.0',
        azp: undefined,
        azpacr: undefined,
        appid: 'robot',
        appidacr: '1',
        idtyp: undefined,
        sub: 'other',
      },
      is: { kind: 'service', clientId: 'robot' },
    },
    refused: { 'ID token': { typ: 'JWT', claims: { ...entraId, ver: '1.0' } } },
  },
};
