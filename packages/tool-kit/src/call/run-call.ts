import { recordArguments } from '../definition/argument-privacy.ts';
import type { CallContext } from '../definition/call-context.ts';
import { isVisible } from '../definition/permission.ts';
import { asPublicError } from '../errors.ts';
import { authorize } from './authorize.ts';
import { openRecord, type CallDetails } from './call-record.ts';
import { startDeadline, untilAborted } from './deadline.ts';
import * as failure from './failure.ts';
import type { Call, CallResult, Operation, RequestContext } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';

/**
 * Runs one call, in this order: find it, parse the input, authorize what was parsed, limit, record the intent,
 * run under a deadline, cap the output, record the outcome. Never rejects; every exit is audited and measured.
 */
export async function runCall<Input, Output>(
  call: Call<Input, Output>,
  request: RequestContext,
  pipeline: ResolvedPipelineOptions,
): Promise<CallResult<Output>> {
  const record = openRecord<Input, Output>(call, request, pipeline);
  const { operation } = call;

  // What the caller may not see does not exist.
  if (operation === undefined || !isVisible(operation.permission, request.caller)) {
    return record.fail(failure.unknownTarget(call.method, call.target, operation !== undefined));
  }

  using deadline = startDeadline(request.signal, operation.deadlineMs ?? pipeline.deadlineMs);
  let details: CallDetails = {};
  // From here on a change may have happened, whatever else goes wrong.
  let isUncertain = false;
  try {
    const parsed = operation.input.safeParse(operation.arguments);
    if (!parsed.success) {
      return await record.fail(failure.invalidInput(operation.name, parsed.error));
    }
    const input = parsed.data;
    details = recordArguments(operation.input, input, operation.audit?.(input) ?? {}, pipeline.audit);

    const permission =
      typeof operation.permission === 'string' ? operation.permission : operation.permission.select(input);
    const decision = await authorize(pipeline.authorizer, {
      caller: request.caller,
      permission,
      signal: deadline.signal,
      correlationId: request.correlationId,
      logger: pipeline.logger,
    });
    details = { ...details, rule: decision.rule };
    if (!decision.allowed) {
      return await record.fail(failure.denied(decision.reason, permission, request.correlationId), details);
    }

    const limit = await untilAborted(pipeline.rateLimiter.consume(request.caller.id), deadline.signal);
    if (!limit.allowed) {
      return await record.fail(failure.rateLimited(limit.retryAfterMs), details);
    }

    if (operation.audited === 'always') {
      const isRecorded = await record.begin(details);
      if (!isRecorded && !mayRunUnrecorded(operation)) {
        return await record.fail(failure.notRecorded(request.correlationId));
      }
    }

    const context: CallContext = {
      caller: request.caller,
      signal: deadline.signal,
      deadlineAt: deadline.at,
      correlationId: request.correlationId,
      tasks: pipeline.tasks,
      logger: pipeline.logger,
      onUpstreamCall: record.addUpstreamCall,
    };
    // Nobody waits any more for a call that was cancelled on the way here.
    deadline.signal.throwIfAborted();
    isUncertain = !operation.readOnly;
    const output = await pipeline.telemetry.span(
      `${call.method} ${operation.name}`,
      { 'mcp.method.name': call.method },
      () => {
        record.enterTrace();
        return untilAborted(operation.run(input, context), deadline.signal);
      },
    );

    const bytes = sizeOf(output);
    if (bytes > pipeline.maxOutputBytes) {
      return await record.fail(failure.outputTooLarge(bytes, pipeline.maxOutputBytes, isUncertain), details);
    }
    return await record.succeed(output, operation.isFailure?.(output) ?? false);
  } catch (error) {
    const explained = explain(error, { operation, request, signal: deadline.signal, pipeline, isUncertain });
    return record.fail(explained, details);
  }
}

/** What a call was about when it ended in an error. */
interface InterruptedCall {
  readonly operation: { readonly name: string };
  readonly request: RequestContext;
  /** Its deadline's signal, which aborts when the client cancels, too. */
  readonly signal: AbortSignal;
  readonly pipeline: ResolvedPipelineOptions;
  /** Whether something may have been changed already. */
  readonly isUncertain: boolean;
}

/** Logs the cause for the operator and finds the words for the model. */
function explain(error: unknown, call: InterruptedCall): failure.CallFailure {
  const { operation, request, signal, pipeline, isUncertain } = call;
  const { correlationId } = request;
  const fields = { err: error, correlationId, target: operation.name };
  if (signal.aborted) {
    const code = interruptionOf(request.signal);
    pipeline.logger.warn({ ...fields, code }, 'call interrupted');
    return failure.interrupted(code, isUncertain, correlationId);
  }
  const expected = asPublicError(error);
  if (expected !== undefined) {
    pipeline.logger.warn({ ...fields, code: expected.code }, 'call failed');
    return failure.reported(expected.code, expected.publicMessage);
  }
  pipeline.logger.error(fields, 'call failed unexpectedly');
  return failure.internalFailure(correlationId, isUncertain);
}

/** A server that stops aborts its calls with a reason that has this code. */
function interruptionOf({ aborted, reason }: AbortSignal): failure.Interruption {
  if (!aborted) {
    return 'deadline_exceeded';
  }
  return reason instanceof Error && 'code' in reason && reason.code === 'server_stopped'
    ? 'server_stopped'
    : 'cancelled';
}

function mayRunUnrecorded({
  readOnly,
  onUnavailable = 'allow-reads',
}: Pick<Operation<never, unknown>, 'readOnly' | 'onUnavailable'>): boolean {
  switch (onUnavailable) {
    case 'deny':
      return false;
    case 'allow-reads':
      return readOnly;
    case 'allow':
      return true;
    default:
      return onUnavailable satisfies never;
  }
}

/** As JSON, in bytes. A resource that does not exist has no content. */
function sizeOf(output: unknown): number {
  return output === undefined ? 0 : Buffer.byteLength(JSON.stringify(output));
}
