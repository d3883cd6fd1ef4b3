import { callOptionsFor } from '@mcp-parts/resilient-client';
import { PublicError, quoted } from '@mcp-parts/tool-kit';

import { rollBackDeployment, type Deployment } from '../platform/endpoints.ts';
import { follow } from './region-deployment.ts';
import type { Regions } from './regions.ts';
import { signalOfUndoing, type Run } from './run.ts';

/** What became of a rollback. */
export interface Undone {
  readonly isDone: boolean;
  /** What runs where again, and what to do about the rest. */
  readonly text: string;
}

/**
 * Brings what ran before back to every region that was changed, the last one first. A deployment is undone once, so a later
 * run goes on with what an earlier one began. Nobody can cancel it, and it stops at the first region that it cannot bring back.
 */
export async function rollBack(
  run: Run,
  deployments: ReadonlyMap<string, Deployment>,
  regions: Regions,
): Promise<Undone> {
  const signal = signalOfUndoing(run);
  const back: string[] = [];
  const said = () => (back.length === 0 ? '' : `Rolled back: ${back.join(', ')}. `);
  for (const region of regions.changed().toReversed()) {
    const deployment = deployments.get(region);
    // One after the other, as they were deployed.
    // oxlint-disable-next-line no-await-in-loop
    const undone = deployment && (await rollBackRegion(run, region, deployment, { regions, signal }));
    if (undone?.isDone === false) {
      const text = `${said()}The rollback of ${region} did not succeed: ${undone.text} Ask the person to look at the deployment system at once.`;
      return { isDone: false, text };
    }
    back.push(`${region} to ${undone?.text}`);
  }
  return { isDone: true, text: said().trim() || 'Nothing had to be rolled back.' };
}

/** The version that runs there again, or why it does not. */
async function rollBackRegion(
  run: Run,
  region: string,
  { id }: Deployment,
  { regions, signal }: { readonly regions: Regions; readonly signal: AbortSignal },
): Promise<Undone> {
  const { context, options } = run;
  const result = await options.deployments.call(
    rollBackDeployment,
    { params: { id }, body: { requestedBy: context.caller.id } },
    { ...callOptionsFor(context), signal },
  );
  signal.throwIfAborted();
  if (!result.ok) {
    return { isDone: false, text: result.error.publicMessage };
  }
  const show = ({ version, progress }: Deployment) =>
    regions.say(`; rolling back ${region} to ${version}, ${progress.percent} %`);
  try {
    const { state, version, failure } = await follow(run, result.data, show, signal);
    return state === 'succeeded'
      ? { isDone: true, text: version }
      : { isDone: false, text: `it ${state}${failure === undefined ? '.' : `: ${quoted(failure.reason)}`}` };
  } catch (error) {
    if (error instanceof PublicError) {
      return { isDone: false, text: error.publicMessage };
    }
    throw error;
  }
}
