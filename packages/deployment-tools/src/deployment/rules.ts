import type { DeploymentTarget } from './schemas.ts';

/** How a person confirms a deployment: not at all, with a yes, with the name of the service, or a second person does. */
export const confirmations = ['none', 'confirm', 'typed_name', 'second_person'] as const;

type ByEnvironment<Rule> = Readonly<Record<DeploymentTarget['environment'], Rule>>;

/** What the owner of a server wants of deployments, by environment. */
export interface DeploymentRules {
  /**
   * How a person confirms a deployment: `none`, `confirm` (a yes), `typed_name` (of the service), or `second_person`, with
   * `approve_deployment`. What a client cannot ask is refused, so clients without forms can use `none` and `second_person`.
   *
   * @default production `confirm`, the others `none`
   */
  readonly confirmation: ByEnvironment<(typeof confirmations)[number]>;
  /** Whether what ran before comes back everywhere when a region fails, and the call does not say. @default nowhere */
  readonly rollBackOnFailure: ByEnvironment<boolean>;
}

/** Fills in. */
export function resolveDeploymentRules({
  confirmation,
  rollBackOnFailure,
}: {
  readonly [Rule in keyof DeploymentRules]?: Partial<DeploymentRules[Rule]> | undefined;
}): DeploymentRules {
  return {
    confirmation: { development: 'none', staging: 'none', production: 'confirm', ...confirmation },
    rollBackOnFailure: { development: false, staging: false, production: false, ...rollBackOnFailure },
  };
}
