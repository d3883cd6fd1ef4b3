import type { RecordedArguments } from '../arguments/argument-privacy.ts';
import type { JsonObject } from '../json.ts';
import type { AuditEntry, AuditIntent, AuditOutcome, UpstreamCall } from '../ports.ts';
import { auditIntentOf } from './audit-intent.ts';
import type { CallFailure } from './failure/failure.ts';
import type { BegunCall, Call, CallResult, OperationResponse, RequestContext } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';
import { refuse } from './record-refusal.ts';

/** What the trail learns of a call: what the definition tells, and the policy's rule once it has decided. */
export interface CallDetails extends RecordedArguments {
  readonly rule?: string | undefined;
}

/** Writes down how one call ends, whichever way it ends: once in the trail, once in the metrics. Never rejects. */
export class CallRecord {
  readonly #startedAt = performance.now();
  readonly #call: Call;
  readonly #pipeline: ResolvedPipelineOptions;
  #isBegun = false;
  #entry: AuditEntry | undefined;
  #intent: AuditIntent | undefined;
  #traceId: string | undefined;
  #upstreamCalls: UpstreamCall[] | undefined;
  /** Of the person's yes, once there is one. */
  confirmationId: string | undefined;

  constructor(call: Call, pipeline: ResolvedPipelineOptions) {
    this.#call = call;
    this.#pipeline = pipeline;
  }

  /** Writes the intent down, before the call runs; `false` when it could not be recorded. */
  async begin(request: RequestContext, details: CallDetails, taskId?: string): Promise<boolean> {
    this.#isBegun = true;
    const { audit, logger } = this.#pipeline;
    try {
      this.#intent = this.#intentOf(request, details, taskId);
      this.#entry = await audit.begin(this.#intent);
      return true;
    } catch (error) {
      logger.error({ err: error, correlationId: request.correlationId }, 'audit intent not recorded');
      return false;
    }
  }

  /** What the one who ends the call will need; the call itself ends when the task does. */
  get begun(): Pick<BegunCall, 'entry' | 'intent'> {
    return { entry: this.#entry, intent: this.#intent };
  }

  #intentOf(request: RequestContext, details: CallDetails, taskId?: string): AuditIntent {
    const { caller, correlationId, transport, era, client, sourceAddress } = request;
    const subject = {
      caller,
      action: this.#call.method,
      target: this.#call.target,
      taskId,
      correlationId,
      transport,
      era,
      client,
      sourceAddress,
      rule: details.rule,
      traceId: this.#pipeline.telemetry.activeTraceId?.(),
    };
    return auditIntentOf(subject, details);
  }

  /** Takes note of the trace that the call runs in. */
  enterTrace(): void {
    this.#traceId = this.#pipeline.telemetry.activeTraceId?.();
  }

  /** The trace that the handler ran in. */
  get traceId(): string | undefined {
    return this.#traceId;
  }

  /** Takes note of a call to an upstream. */
  addUpstreamCall(call: UpstreamCall): void {
    (this.#upstreamCalls ??= []).push(call);
  }

  /** Ends a call with the output of an earlier one. */
  async repeat(request: RequestContext, result: JsonObject): Promise<CallResult> {
    await this.#end(request, 'success', 'replayed');
    return { ok: true, result, isFailure: false };
  }

  /** Ends a call with its output. */
  async succeed(request: RequestContext, response: OperationResponse): Promise<CallResult> {
    const { result, isFailure } = response;
    const reason = isFailure ? 'reported_failure' : undefined;
    await this.#end(request, isFailure ? 'failure' : 'success', reason);
    return { ok: true, result, isFailure };
  }

  /** Ends a round of a call whose client is asked: what was begun is not done. */
  async suspend(request: RequestContext, result: JsonObject): Promise<CallResult> {
    await this.#end(request, 'failure', 'input_required');
    return { ok: true, result, isFailure: false };
  }

  /**
   * Ends a call without an output. What was not begun did not run, and is recorded as refused: whoever is refused again
   * and again must not fill the trail with it.
   */
  async fail(request: RequestContext, failure: CallFailure, details: CallDetails = {}): Promise<CallResult> {
    await this.#end(request, resultOf(failure), failure.code, this.#isBegun ? undefined : details);
    return { ok: false, failure };
  }

  /** Ends a call with a refusal by the transport. */
  async refuse(request: RequestContext, reason: string, details: CallDetails): Promise<void> {
    await this.#end(request, 'denied', reason, details);
  }

  async #end(
    request: RequestContext,
    result: AuditOutcome['result'],
    reason: string | undefined,
    refused?: CallDetails,
  ): Promise<void> {
    const { audit, telemetry, logger, reasonLabel } = this.#pipeline;
    const { era, transport, correlationId } = request;
    const { method, operation } = this.#call;
    const durationMs = Math.round(performance.now() - this.#startedAt);
    if (this.#entry !== undefined || refused !== undefined) {
      const outcome = {
        result,
        reason,
        durationMs,
        traceId: this.#traceId,
        upstreamCalls: this.#upstreamCalls,
        confirmationId: this.confirmationId,
      };
      try {
        await (refused === undefined
          ? this.#entry?.finish(outcome)
          : refuse(audit, this.#intentOf(request, refused), outcome));
      } catch (error) {
        // The action is done; the open intent in the trail says that its outcome is not known.
        logger.error({ err: error, correlationId }, 'audit outcome not recorded');
      }
    }
    if (operation?.isPart === true && result === 'success') {
      return;
    }
    try {
      const target = operation?.name ?? '_other';
      const label = reason === undefined ? undefined : reasonLabel(reason);
      telemetry.recordCall({ method, target, era, transport, result, reason: label, durationMs });
    } catch (error) {
      logger.error({ err: error, correlationId }, 'call not measured');
    }
  }
}

/** What the trail says of a failure. */
export function resultOf(failure: CallFailure): AuditOutcome['result'] {
  switch (failure.kind) {
    case 'denied':
    case 'unknown_target':
    case 'limited':
      return 'denied';
    case 'interrupted':
    case 'failed':
      return failure.isUncertain ? 'unknown' : 'failure';
    case 'done_untold':
      return failure.isFailure ? 'failure' : 'success';
    case 'invalid_input':
    case 'not_recorded':
      return 'failure';
    default:
      return failure satisfies never;
  }
}
