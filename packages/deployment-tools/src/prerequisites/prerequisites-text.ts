import type { DeploymentTarget, Prerequisites } from '../deployment/schemas.ts';

/** The outcome of the checks for a model: the verdict, and one line for each failed check. The next step follows it. */
export function prerequisitesText(
  { ready, passed, failed }: Prerequisites,
  { service, version, environment }: DeploymentTarget,
): string {
  const what = `${service} ${version} to ${environment}`;
  const passedNames = passed.join(', ');
  if (ready) {
    return `Ready: ${what} may be deployed. Passed: ${passedNames}.`;
  }
  return [
    `Not ready: ${failed.length} of ${passed.length + failed.length} checks failed for ${what}.`,
    ...failed.map(failedLine),
    ...(passed.length === 0 ? [] : [`Passed: ${passedNames}.`]),
  ].join('\n');
}

/** Why a deployment was refused, for a model that reads it as the error of a task. */
export function refusalText({ failed }: Prerequisites, target: DeploymentTarget): string {
  return [
    `Nothing was deployed: ${target.service} ${target.version} does not meet the prerequisites of ${target.environment}.`,
    ...failed.map(failedLine),
  ].join('\n');
}

function failedLine({ check, status, reason, nextStep }: Prerequisites['failed'][number]): string {
  return `- ${check} (${status}): ${reason} Next: ${nextStep}`;
}
