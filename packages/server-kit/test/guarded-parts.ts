import { createPolicy, createTokenVerifier, type Directory, type TokenVerifier } from '@mcp-parts/auth';
import { definePrompt, defineResource, defineTool, type CatalogDefinitions } from '@mcp-parts/tool-kit';
import { z } from 'zod';

/** The audience of the tokens; need not be where the server listens. */
export const resource = 'https://mcp.example.test/mcp';

export const policy = createPolicy({
  version: 1,
  permissions: ['deploy:read', 'deploy:staging', 'deploy:production'],
  groups: ['viewers', 'developers', 'production-deployers'],
  grants: [
    { group: 'viewers', allow: ['deploy:read'] },
    { group: 'developers', allow: ['deploy:*'] },
  ],
  require: {
    'deploy:production': {
      allGroups: ['production-deployers'],
      scopes: ['deploy:production'],
      fresh: true,
    },
  },
  scopes: {
    'deploy:staging': ['deploy:staging'],
    'deploy:admin': ['deploy:read', 'deploy:staging', 'deploy:production'],
  },
});

const groups: Readonly<Record<string, readonly string[]>> = {
  ann: ['developers', 'production-deployers'],
  ben: ['developers'],
  vic: ['viewers'],
};

/** Who is in which group. */
export const everybody: Directory = {
  groupsOf: ({ subject }) => Promise.resolve(groups[subject] ?? []),
};

/** Takes the tokens of the issuer that serves its keys here. */
export function verifierOf(issuer: string): TokenVerifier {
  return createTokenVerifier({
    issuer,
    audience: resource,
    algorithms: ['ES256'],
    jwksUrl: `${issuer}/jwks`,
  });
}

const environment = z.enum(['staging', 'production']);
const permission = {
  anyOf: ['deploy:staging', 'deploy:production'],
  select: (input: { environment: z.infer<typeof environment> }) => `deploy:${input.environment}`,
};

/** What the policy guards: one of each kind. `onDeploy` is told the `sub` of who deployed. */
export function guardedDefinitions(onDeploy: (subject: string) => void): CatalogDefinitions {
  const deploy = defineTool({
    name: 'deploy',
    title: 'Deploy',
    description: 'Deploys.',
    input: z.strictObject({ environment }),
    output: z.object({ by: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
    permission,
    async handle(_input, { caller }) {
      onDeploy(caller.id.slice(caller.id.indexOf('#') + 1));
      return { by: caller.id };
    },
    text: ({ by }) => `Deployed for ${by}.`,
  });
  const whoami = defineTool({
    name: 'whoami',
    title: 'Who am I',
    description: 'Says who calls.',
    input: z.strictObject({ nonce: z.string() }),
    output: z.object({ id: z.string(), nonce: z.string() }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'deploy:read',
    async handle({ nonce }, { caller }) {
      // Lets other calls in between.
      await new Promise((resolve) => setImmediate(resolve));
      return { id: caller.id, nonce };
    },
    text: ({ id, nonce }) => `${id} ${nonce}`,
  });
  const runs = defineResource({
    name: 'runs',
    title: 'What runs',
    description: 'What runs in an environment.',
    uriTemplate: 'runs://{environment}',
    parameters: z.object({ environment }),
    permission,
    complete: { environment: () => Promise.resolve(environment.options) },
    list: () => Promise.resolve(environment.options.map((name) => ({ uri: `runs://${name}`, name }))),
    read: ({ environment }) => Promise.resolve({ environment }),
  });
  const plan = definePrompt({
    name: 'plan',
    title: 'Plan',
    description: 'Plans a deployment.',
    arguments: z.object({ environment }),
    permission,
    render: () => 'Plan it.',
  });
  return { tools: [deploy, whoami], resources: [runs], prompts: [plan] };
}
