import type { RecordedArguments } from '../definition/argument-privacy.ts';
import type { AuditEntry, AuditIntent, AuditOutcome, UpstreamCall } from '../ports.ts';
import { auditIntentOf } from './audit-intent.ts';
import type { CallFailure } from './failure.ts';
import type { Call, CallResult, RequestContext } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';
import { refuse } from './record-refusal.ts';

/** What the trail learns of a call: what the definition tells, and the policy's rule once it has decided. */
export interface CallDetails extends RecordedArguments {
  readonly rule?: string | undefined;
}

/** Writes down how one call ends, whichever way it ends: once in the trail, once in the metrics. Never rejects. */
export interface CallRecord<Output> {
  /** Writes the intent down, before the call runs; `false` when it could not be recorded. */
  readonly begin: (details: CallDetails) => Promise<boolean>;
  /** Takes note of the trace that the call runs in. */
  readonly enterTrace: () => void;
  /** Takes note of a call to an upstream. */
  readonly addUpstreamCall: (call: UpstreamCall) => void;
  /** Ends a call with its output. */
  readonly succeed: (output: Output, isFailure: boolean) => Promise<CallResult<Output>>;
  /** Ends a call without an output, and writes the intent down too where nobody has tried to. */
  readonly fail: (failure: CallFailure, details?: CallDetails) => Promise<CallResult<Output>>;
}

/** Opens the record of a call that begins now. */
export function openRecord<Input, Output>(
  call: Call<Input, Output>,
  request: RequestContext,
  pipeline: ResolvedPipelineOptions,
): CallRecord<Output> {
  const startedAt = performance.now();
  const { correlationId } = request;
  let isBegun = false;
  let entry: AuditEntry | undefined;
  let traceId: string | undefined;
  const upstreamCalls: UpstreamCall[] = [];

  function intentOf(details: CallDetails): AuditIntent {
    const subject = {
      ...request,
      action: call.method,
      target: call.target,
      traceId: pipeline.telemetry.activeTraceId?.(),
      rule: details.rule,
    };
    return auditIntentOf(subject, details);
  }

  async function begin(details: CallDetails): Promise<boolean> {
    isBegun = true;
    try {
      entry = await pipeline.audit.begin(intentOf(details));
      return true;
    } catch (error) {
      pipeline.logger.error({ err: error, correlationId }, 'audit intent not recorded');
      return false;
    }
  }

  async function end(result: CallResult<Output>, refused?: CallDetails): Promise<CallResult<Output>> {
    const outcome = {
      result: resultOf(result),
      reason: result.ok ? (result.isFailure ? 'reported_failure' : undefined) : result.failure.code,
      durationMs: Math.round(performance.now() - startedAt),
    } satisfies AuditOutcome;
    const recorded = {
      ...outcome,
      traceId,
      upstreamCalls: upstreamCalls.length > 0 ? upstreamCalls : undefined,
    };
    try {
      await (refused === undefined
        ? entry?.finish(recorded)
        : refuse(pipeline.audit, intentOf(refused), recorded));
    } catch (error) {
      // The action is done; the open intent in the trail says that its outcome is not known.
      pipeline.logger.error({ err: error, correlationId }, 'audit outcome not recorded');
    }
    try {
      const target = call.operation?.name ?? '_other';
      const { era, transport } = request;
      pipeline.telemetry.recordCall({ method: call.method, target, era, transport, ...outcome });
    } catch (error) {
      pipeline.logger.error({ err: error, correlationId }, 'call not measured');
    }
    return result;
  }

  return {
    begin,
    enterTrace: () => {
      traceId = pipeline.telemetry.activeTraceId?.();
    },
    addUpstreamCall: (upstreamCall) => void upstreamCalls.push(upstreamCall),
    succeed: (output, isFailure) => end({ ok: true, output, isFailure }),
    // What was not begun did not run: whoever is refused again and again must not fill the trail with it.
    fail: (failure, details = {}) => end({ ok: false, failure }, isBegun ? undefined : details),
  };
}

function resultOf<Output>(result: CallResult<Output>): AuditOutcome['result'] {
  if (result.ok) {
    return result.isFailure ? 'failure' : 'success';
  }
  switch (result.failure.kind) {
    case 'denied':
    case 'unknown_target':
    case 'rate_limited':
      return 'denied';
    case 'interrupted':
    case 'failed':
      return result.failure.isUncertain ? 'unknown' : 'failure';
    case 'invalid_input':
    case 'not_recorded':
      return 'failure';
    default:
      return result.failure satisfies never;
  }
}
