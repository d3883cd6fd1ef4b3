import { callOptionsFor } from '@mcp-parts/resilient-client';
import { quoted } from '@mcp-parts/tool-kit';

import { getHealth } from '../platform/endpoints.ts';
import type { Regions } from './regions.ts';
import type { Run } from './run.ts';

/**
 * Waits until the service is healthy in a region that has the new version, and tells why it is not after all; `null` when
 * it is. What this says is kept: a later run does not decide again.
 */
export async function healthGate(run: Run, region: string, regions: Regions): Promise<string | null> {
  return run.context.once(`healthy in ${region}`, () => waitUntilHealthy(run, region, regions));
}

async function waitUntilHealthy(
  { target, context, options }: Run,
  region: string,
  regions: Regions,
): Promise<string | null> {
  const { configuration, healthyWithinMs, pollIntervalMs, wait, now } = options;
  const { service, environment } = target;
  const input = { params: { service, environment }, query: { region } };
  const since = now();
  // The clock may be set back.
  for (let waitedMs = 0; ; waitedMs += pollIntervalMs) {
    const result = await configuration.call(getHealth, input, callOptionsFor(context));
    if (result.ok && result.data.status === 'healthy') {
      return null;
    }
    context.signal.throwIfAborted();
    if (waitedMs >= healthyWithinMs || now() - since >= healthyWithinMs) {
      return result.ok
        ? `${service} is ${result.data.status} there${result.data.detail === '' ? '.' : `: ${quoted(result.data.detail)}`}`
        : `whether ${service} is healthy there is not known: ${result.error.publicMessage}`;
    }
    regions.say(`; waiting until ${service} is healthy in ${region}`);
    await wait(pollIntervalMs, context.signal);
  }
}
