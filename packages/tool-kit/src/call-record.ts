import type { AuditDetails } from './definitions.ts';
import type { CallFailure } from './failure.ts';
import type { AuditEntry, AuditOutcome, Caller } from './ports.ts';
import type { Call, CallResult, RequestContext } from './run-call.ts';
import type { Runtime } from './runtime.ts';

/** Writes down how one call ends, whichever way it ends: once in the trail, once in the metrics. */
export interface CallRecord<Output> {
  /** The open entry, or `undefined` when the intent could not be recorded. */
  begin(details: AuditDetails): Promise<AuditEntry | undefined>;
  /** Ends a call that ran. */
  end(entry: AuditEntry | undefined, result: CallResult<Output>): Promise<CallResult<Output>>;
  /** Ends a call that never ran: intent and outcome in one. */
  refuse(failure: CallFailure, details?: AuditDetails): Promise<CallResult<Output>>;
}

/** Opens the record of a call that begins now. */
export function openRecord<Input, Output>(
  call: Call<Input, Output>,
  request: RequestContext,
  runtime: Runtime,
): CallRecord<Output> {
  const startedAt = performance.now();
  const readOnly = call.operation?.readOnly ?? true;

  async function begin(details: AuditDetails): Promise<AuditEntry | undefined> {
    try {
      return await runtime.audit.begin({
        actor: actorOf(request.caller),
        action: call.method,
        target: shorten(call.target),
        resource: details.resource,
        arguments: details.arguments,
        correlationId: request.correlationId,
        transport: request.transport,
        era: request.era,
        client: request.client,
        sourceAddress: request.sourceAddress,
        urgent: details.urgent ?? false,
      });
    } catch (error) {
      runtime.logger.error({ err: error, correlationId: request.correlationId }, 'audit intent not recorded');
      return undefined;
    }
  }

  async function end(entry: AuditEntry | undefined, result: CallResult<Output>): Promise<CallResult<Output>> {
    const outcome: AuditOutcome = {
      result: resultOf(result, readOnly),
      reason: result.ok ? (result.isFailure ? 'reported_failure' : undefined) : result.failure.code,
      durationMs: Math.round(performance.now() - startedAt),
    };
    runtime.telemetry.recordCall({
      method: call.method,
      target: call.operation?.name ?? '_other',
      era: request.era,
      transport: request.transport,
      ...outcome,
    });
    try {
      await entry?.finish(outcome);
    } catch (error) {
      // The action is done; the open intent in the trail says that its outcome is not known.
      runtime.logger.error(
        { err: error, correlationId: request.correlationId },
        'audit outcome not recorded',
      );
    }
    return result;
  }

  return {
    begin,
    end,
    refuse: async (failure, details = {}) => end(await begin(details), { ok: false, failure }),
  };
}

/** A name that a client made up is shown and stored, but not at any length. */
export function shorten(text: string): string {
  return text.length <= 128 ? text : `${text.slice(0, 127)}…`;
}

function actorOf({ id, kind, displayName, email, groups }: Caller) {
  return { id, kind, displayName, email, groups };
}

function resultOf<Output>(result: CallResult<Output>, readOnly: boolean): AuditOutcome['result'] {
  if (result.ok) return result.isFailure ? 'failure' : 'success';
  switch (result.failure.kind) {
    case 'denied':
    case 'unknown_target':
    case 'rate_limited':
      return 'denied';
    case 'interrupted':
      // Stopped half-way, a change may have happened.
      return readOnly ? 'failure' : 'unknown';
    case 'failed':
    case 'invalid_input':
    case 'not_recorded':
      return 'failure';
    default:
      return result.failure.kind satisfies never;
  }
}
