import { z } from 'zod';

import type { Operation, RequestContext } from '../src/call/operation.ts';
import { resolvePipelineOptions, type PipelineOptions } from '../src/call/pipeline-options.ts';
import { runCall } from '../src/call/run-call.ts';
import type { Authorizer } from '../src/ports.ts';
import { aRequest, recordingPorts } from './fixtures.ts';

/** What no model may ever read. */
export const secret = 'postgres://deployer:hunter2@db.internal/prod at /srv/app/main.ts:12';

export type Echo = Operation<{ text: string }, { text: string }>;

/** A read that says its input back. */
export function echo(overrides: Partial<Echo> = {}): Echo {
  return {
    name: 'echo',
    permission: 'things:read',
    input: z.strictObject({ text: z.string() }),
    arguments: { text: 'hello' },
    readOnly: true,
    audited: 'always',
    audit: ({ text }) => ({ resource: `things/${text}` }),
    run: (input) => Promise.resolve(input),
    ...overrides,
  };
}

/** The same as a change. */
export const write = (overrides: Partial<Echo> = {}) => echo({ readOnly: false, ...overrides });

export interface Setup {
  readonly operation?: Echo | undefined;
  readonly options?: PipelineOptions;
  readonly request?: Partial<RequestContext>;
}

/** Runs one call on recording ports. */
export async function run({ operation, options, request }: Setup) {
  const ports = recordingPorts();
  const { audit, telemetry, logger } = ports;
  const result = await runCall(
    { method: 'tools/call', target: 'echo', operation },
    aRequest(request),
    resolvePipelineOptions({ audit, telemetry, logger, ...options }),
  );
  return { result, ...ports };
}

/** An authorizer that says no. */
export const denies = (reason: 'missing_permission' | 'missing_scope' | 'missing_group' | 'unavailable') =>
  ({ decide: () => ({ allowed: false, reason }) }) satisfies Authorizer;
