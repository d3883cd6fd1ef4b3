import { adFs } from './ad-fs.ts';
import { auth0 } from './auth0.ts';
import { cognito } from './cognito.ts';
import { entra } from './entra.ts';
import { identityServer } from './identity-server.ts';
import { keycloak } from './keycloak.ts';
import { okta } from './okta.ts';
import { pingFederate } from './ping-federate.ts';
import type { Profiles } from './profile.ts';

/** The shapes of docs/identity-providers.md. */
export const PROFILES: Profiles = {
  ...keycloak,
  ...entra,
  ...okta,
  ...auth0,
  ...cognito,
  ...pingFederate,
  ...identityServer,
  ...adFs,
};
