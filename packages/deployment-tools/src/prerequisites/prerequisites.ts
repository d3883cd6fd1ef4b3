import type { CallOptions, Client, ClientError, Result } from '@mcp-parts/resilient-client';
import { quoted } from '@mcp-parts/tool-kit';

import { defaultDeploymentWindows, windowState } from '../deployment/deployment-window.ts';
import type { DeploymentTarget, Prerequisites } from '../deployment/schemas.ts';
import {
  getCompatibility,
  getConfiguration,
  getDependencies,
  getDeploymentWindow,
  getHealth,
} from '../platform/endpoints.ts';

/** What the checks need from outside. */
export interface PrerequisiteSources {
  readonly configuration: Client;
  /** The time, in milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/**
 * Runs every check, whatever the others find, and at the same time where one does not need another's answer.
 * A check whose upstream gave no usable answer is `unknown` and counts as failed.
 *
 * @throws {unknown} the signal's reason, when it aborts
 */
export async function checkPrerequisites(
  target: DeploymentTarget,
  sources: PrerequisiteSources,
  context: CallOptions,
): Promise<Prerequisites> {
  const findings = await Promise.all([
    checkConfiguration(target, sources, context),
    checkVersion(target, sources, context),
    checkDependencies(target, sources, context),
    checkWindow(target, sources, context),
  ]);
  const passed: Passed[] = [];
  const failed: Failed[] = [];
  for (const finding of findings.flat()) {
    if (typeof finding === 'string') {
      passed.push(finding);
    } else {
      failed.push(finding);
    }
  }
  const ready = failed.length === 0;
  const nextStep = ready
    ? 'Ask the person to confirm, then call trigger_deployment.'
    : 'Do not trigger it. Tell the person each failed check, its reason and its next step.';
  return { ready, passed, failed, nextStep };
}

/** A check that passed, by its name. */
type Passed = Prerequisites['passed'][number];
type Failed = Prerequisites['failed'][number];
type Finding = Passed | Failed;

async function checkConfiguration(
  { service, environment }: DeploymentTarget,
  { configuration }: PrerequisiteSources,
  context: CallOptions,
): Promise<Finding> {
  const check = 'configuration';
  const result = await configuration.call(getConfiguration, { params: { service, environment } }, context);
  if (!result.ok) {
    return noAnswer(check, result, context);
  }
  return check;
}

async function checkVersion(
  { service, version, environment }: DeploymentTarget,
  { configuration }: PrerequisiteSources,
  context: CallOptions,
): Promise<Finding> {
  const check = 'version';
  const input = { params: { service, version }, query: { environment } };
  const result = await configuration.call(getCompatibility, input, context);
  if (!result.ok) {
    return noAnswer(check, result, context);
  }
  if (result.data.compatible) {
    return check;
  }
  const reasons =
    result.data.reasons.slice(0, 5).map(quoted).join(' ') || 'The configuration service gave no reason.';
  return {
    check,
    status: 'failed',
    reason: `Not compatible with ${environment}: ${reasons}`,
    nextStep: 'Choose another version, or do first what the reason names; ask the person which.',
  };
}

async function checkDependencies(
  target: DeploymentTarget,
  sources: PrerequisiteSources,
  context: CallOptions,
): Promise<Finding[]> {
  const check = 'dependencies';
  const input = { params: { service: target.service } };
  const result = await sources.configuration.call(getDependencies, input, context);
  if (!result.ok) {
    return [noAnswer(check, result, context)];
  }
  const { dependencies } = result.data;
  if (dependencies.length === 0) {
    return [check];
  }
  return Promise.all(dependencies.map((dependency) => checkHealth(dependency, target, sources, context)));
}

async function checkHealth(
  dependency: string,
  { environment }: DeploymentTarget,
  { configuration }: PrerequisiteSources,
  context: CallOptions,
): Promise<Finding> {
  const check = `dependency ${dependency}`;
  const input = { params: { service: dependency, environment }, query: {} };
  const result = await configuration.call(getHealth, input, context);
  if (!result.ok) {
    return noAnswer(check, result, context);
  }
  const { status, checkedAt, detail } = result.data;
  if (status === 'healthy') {
    return check;
  }
  return {
    check,
    status: 'failed',
    reason: `${dependency} is ${status} in ${environment}, at ${checkedAt}${detail === '' ? '.' : `: ${quoted(detail)}`}`,
    nextStep: `Do not deploy until ${dependency} is healthy; tell the person, and check again when they ask.`,
  };
}

async function checkWindow(
  { environment }: DeploymentTarget,
  { configuration, now }: PrerequisiteSources,
  context: CallOptions,
): Promise<Finding> {
  const check = 'window';
  const result = await configuration.call(getDeploymentWindow, { params: { environment } }, context);
  if (!result.ok && result.error.code !== 'not_found') {
    return noAnswer(check, result, context);
  }
  const state = windowState(result.ok ? result.data : defaultDeploymentWindows[environment], now());
  if (state.open) {
    return check;
  }
  return {
    check,
    status: 'failed',
    reason: `The deployment window of ${environment} is closed; it is ${state.localTime}.`,
    nextStep:
      state.nextOpening === undefined
        ? 'No opening is planned. Ask the person to talk to the owner of the environment.'
        : `Wait until it opens on ${state.nextOpening}, then check again.`,
  };
}

/** What an upstream does not know has failed; what it could not say is unknown. */
function noAnswer(
  check: string,
  { error }: Result<unknown> & { readonly ok: false },
  context: CallOptions,
): Failed {
  context.signal.throwIfAborted();
  const isMissing = error.code === 'not_found';
  return {
    check,
    status: isMissing ? 'failed' : 'unknown',
    reason: error.publicMessage,
    nextStep: isMissing
      ? 'Take the name from list_services; if it is right, ask the owner of the service to set it up there.'
      : retryAdvice(error),
  };
}

function retryAdvice({ isRetryable, retryAfterMs }: ClientError): string {
  if (!isRetryable) {
    return 'Do not deploy. Tell the person to give this to the operator of this server.';
  }
  const wait = retryAfterMs === undefined ? 30 : Math.max(1, Math.ceil(retryAfterMs / 1000));
  return `Do not deploy. Wait ${wait} s and check again; if it stays unknown, tell the person.`;
}
