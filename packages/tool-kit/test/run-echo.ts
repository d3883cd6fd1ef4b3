import { z } from 'zod';

import { argumentRecorder } from '../src/arguments/argument-privacy.ts';
import {
  sealOperation,
  spanOf,
  type Call,
  type Operation,
  type OperationOf,
  type RequestContext,
} from '../src/call/operation.ts';
import { resolvePipelineOptions, type PipelineOptions } from '../src/call/pipeline-options.ts';
import { prepareCall, runCall } from '../src/call/run-call.ts';
import { parserOf } from '../src/catalog/operations/parser.ts';
import type { AuditDetails } from '../src/definition/audit-details.ts';
import { permissionSelector, type Permission } from '../src/definition/permission.ts';
import type { Authorizer } from '../src/ports.ts';
import { aRequest, recordingPorts } from './fixtures.ts';

/** What no model may ever read. */
export const secret = 'postgres://deployer:hunter2@db.internal/prod at /srv/app/main.ts:12';

interface Text {
  readonly text: string;
}

/** What a test may choose of an echo. */
export interface Echo extends Pick<
  OperationOf<Text, Text>,
  'name' | 'readOnly' | 'audited' | 'run' | 'deadlineMs' | 'limit' | 'onUnavailable'
> {
  readonly permission: Permission<Text>;
  readonly input: z.ZodType<Text>;
  readonly arguments: unknown;
  readonly audit: ((input: Text) => AuditDetails) | undefined;
  readonly isFailure: (output: Text) => boolean;
  readonly respond: OperationOf<Text, Text>['respond'] | undefined;
}

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
    isFailure: () => false,
    respond: undefined,
    ...overrides,
  };
}

/** The same as a change. */
export const write = (overrides: Partial<Echo> = {}) => echo({ readOnly: false, ...overrides });

function operationOf({ input, audit, isFailure, arguments: _sent, ...echo }: Echo): Operation {
  const record = argumentRecorder(input);
  return sealOperation<Text, Text>({
    ...echo,
    span: spanOf('tools/call', echo.name),
    permissionOf: permissionSelector(echo.permission),
    parse: parserOf(echo.name, input),
    record: (parsed, ports) => record(parsed, audit?.(parsed) ?? {}, ports),
    respond: echo.respond ?? ((output) => ({ result: { text: output.text }, isFailure: isFailure(output) })),
  });
}

export interface Setup {
  readonly operation?: Echo | undefined;
  readonly options?: PipelineOptions;
  readonly request?: Partial<RequestContext>;
  readonly malformed?: string | undefined;
}

function callOf({ operation, malformed }: Setup): Call {
  return {
    method: 'tools/call',
    target: 'echo',
    operation: operation && operationOf(operation),
    arguments: operation?.arguments,
    malformed,
  };
}

/** Runs one call on recording ports. */
export async function run(setup: Setup) {
  const ports = recordingPorts();
  const { audit, telemetry, logger } = ports;
  const pipeline = resolvePipelineOptions({ audit, telemetry, logger, ...setup.options });
  const result = await runCall(callOf(setup), aRequest(setup.request), pipeline);
  return { result, ...ports };
}

/** Begins one call on recording ports. */
export function prepared(setup: Setup) {
  const ports = recordingPorts();
  const { audit, telemetry, logger } = ports;
  const pipeline = resolvePipelineOptions({ audit, telemetry, logger, ...setup.options });
  const request = aRequest(setup.request);
  return { call: prepareCall(callOf(setup), request, pipeline), request, ...ports };
}

/** An authorizer that says no. */
export const denies = (reason: 'missing_permission' | 'missing_scope' | 'missing_group' | 'unavailable') =>
  ({ decide: () => ({ allowed: false, reason }) }) satisfies Authorizer;
