import { z } from 'zod';

import { confirmations, type DeploymentRules } from './rules.ts';

const confirmation = z.enum(confirmations);
const CONFIRMATIONS =
  'none, confirm (a yes), typed_name (of the service) or second_person (with approve_deployment). A client that cannot ask is refused what takes an answer';

/** The environment variables that say what deployments take; spread them into a server's settings. */
export const deploymentSettings = {
  CONFIRM_STAGING: {
    description: `How a person confirms a deployment to staging: ${CONFIRMATIONS}`,
    schema: confirmation.default('none'),
  },
  CONFIRM_PRODUCTION: {
    description: `How a person confirms a deployment to production: ${CONFIRMATIONS}`,
    schema: confirmation.default('confirm'),
  },
  ROLL_BACK_ON_FAILURE: {
    description:
      'Whether what ran before comes back when a region of a deployment fails and the call does not say: true or false',
    schema: z.enum(['true', 'false']).default('false'),
  },
};

/** The options of `createDeploymentTools` from the values of these settings. */
export function deploymentRules(settings: {
  readonly [Name in keyof typeof deploymentSettings]: z.output<(typeof deploymentSettings)[Name]['schema']>;
}): {
  readonly confirmation: Partial<DeploymentRules['confirmation']>;
  readonly rollBackOnFailure: DeploymentRules['rollBackOnFailure'];
} {
  const rollsBack = settings.ROLL_BACK_ON_FAILURE === 'true';
  return {
    confirmation: { staging: settings.CONFIRM_STAGING, production: settings.CONFIRM_PRODUCTION },
    rollBackOnFailure: { development: rollsBack, staging: rollsBack, production: rollsBack },
  };
}
