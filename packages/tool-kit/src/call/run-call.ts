import type { z } from 'zod';

import { isVisible } from '../catalog/catalog.ts';
import { recordArguments } from '../definition/argument-privacy.ts';
import type { AuditDetails, CallContext, OnUnavailable, Permission } from '../definition/definitions.ts';
import { asPublicError } from '../errors.ts';
import type { Caller, Decision } from '../ports.ts';
import { openRecord, type CallDetails } from './call-record.ts';
import * as failure from './failure.ts';
import type { Runtime } from './pipeline-options.ts';

/** Where a call comes from. */
export interface RequestContext {
  readonly caller: Caller;
  /** Aborted when the client cancels or goes away. */
  readonly signal: AbortSignal;
  readonly era: '2025' | '2026';
  readonly transport: 'stdio' | 'http';
  readonly client?: { readonly name: string; readonly version: string } | undefined;
  /** Ties log lines, audit events and the reference id that a model is given together. */
  readonly correlationId: string;
  readonly sourceAddress?: string | undefined;
}

/** One thing that a client asked for. */
export interface Call<Input, Output> {
  readonly method: string;
  /** What the client named, in its own words. */
  readonly target: string;
  /** How to do it; `undefined` when the catalog has no such target. */
  readonly operation: Operation<Input, Output> | undefined;
}

/** The half of a call that comes from the catalog. */
export interface Operation<Input, Output> {
  /** The definition's name: a bounded set, so fit for a metric label. */
  readonly name: string;
  readonly permission: Permission<Input>;
  readonly input: z.ZodType<Input>;
  /** As sent. */
  readonly arguments: unknown;
  /** Whether it changes nothing. */
  readonly readOnly: boolean;
  /** Lists and completions leave a trace only when they are refused. */
  readonly audited: 'always' | 'refusals';
  /** @default 'allow-reads' */
  readonly onUnavailable?: OnUnavailable | undefined;
  readonly deadlineMs?: number | undefined;
  readonly audit?: ((input: Input) => AuditDetails) | undefined;
  readonly run: (input: Input, context: CallContext) => Promise<Output>;
  /** Whether a returned output reports a failure. */
  readonly isFailure?: ((output: Output) => boolean) | undefined;
}

/** The answer of a call, or why there is none. */
export type CallResult<Output> =
  | { readonly ok: true; readonly output: Output; readonly isFailure: boolean }
  | { readonly ok: false; readonly failure: failure.CallFailure };

/**
 * Runs one call, in this order: find it, parse the input, authorize what was parsed, limit, record the intent,
 * run under a deadline, cap the output, record the outcome. Never rejects; every exit is audited and measured.
 */
export async function runCall<Input, Output>(
  call: Call<Input, Output>,
  request: RequestContext,
  runtime: Runtime,
): Promise<CallResult<Output>> {
  const record = openRecord<Input, Output>(call, request, runtime);
  const { operation } = call;

  // What the caller may not see does not exist.
  if (operation === undefined || !isVisible(operation.permission, request.caller)) {
    return record.fail(failure.unknownTarget(call.method, call.target, operation !== undefined));
  }

  using deadline = startDeadline(request.signal, operation.deadlineMs ?? runtime.deadlineMs);
  let details: CallDetails = {};
  // From here on a change may have happened, whatever else goes wrong.
  let isUncertain = false;
  try {
    const parsed = operation.input.safeParse(operation.arguments);
    if (!parsed.success) return await record.fail(failure.invalidInput(operation.name, parsed.error));
    const input = parsed.data;
    details = recordArguments(operation.input, input, operation.audit?.(input) ?? {}, runtime.audit);

    const permission =
      typeof operation.permission === 'string' ? operation.permission : operation.permission.select(input);
    const decision = await decide(permission, request, deadline.signal, runtime);
    details = { ...details, rule: decision.rule };
    if (!decision.allowed) {
      return await record.fail(failure.denied(decision.reason, permission, request.correlationId), details);
    }

    const limit = await abortable(runtime.rateLimiter.consume(request.caller.id), deadline.signal);
    if (!limit.allowed) return await record.fail(failure.rateLimited(limit.retryAfterMs), details);

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
      tasks: runtime.tasks,
      logger: runtime.logger,
      onUpstreamCall: record.addUpstreamCall,
    };
    // Nobody waits any more for a call that was cancelled on the way here.
    deadline.signal.throwIfAborted();
    isUncertain = !operation.readOnly;
    const output = await runtime.telemetry.span(
      `${call.method} ${operation.name}`,
      { 'mcp.method.name': call.method },
      () => {
        record.enterTrace();
        return abortable(operation.run(input, context), deadline.signal);
      },
    );

    const bytes = sizeOf(output);
    if (bytes > runtime.maxOutputBytes) {
      return await record.fail(failure.outputTooLarge(bytes, runtime.maxOutputBytes, isUncertain), details);
    }
    return await record.succeed(output, operation.isFailure?.(output) ?? false);
  } catch (error) {
    const explained = explain(error, operation, request, deadline.signal, runtime, isUncertain);
    return record.fail(explained, details);
  }
}

async function decide(
  permission: string,
  request: RequestContext,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<Decision> {
  try {
    return await abortable(
      Promise.resolve(runtime.authorizer.decide(request.caller, permission, { signal })),
      signal,
    );
  } catch (error) {
    if (signal.aborted) throw error;
    // Who cannot decide says no.
    runtime.logger.error({ err: error, correlationId: request.correlationId }, 'authorization not decided');
    return { allowed: false, reason: 'unavailable' };
  }
}

/** Logs the cause for the operator and finds the words for the model. */
function explain<Input, Output>(
  error: unknown,
  operation: Operation<Input, Output>,
  request: RequestContext,
  signal: AbortSignal,
  runtime: Runtime,
  isUncertain: boolean,
): failure.CallFailure {
  const { correlationId } = request;
  const fields = { err: error, correlationId, target: operation.name };
  if (signal.aborted) {
    const code = request.signal.aborted ? 'cancelled' : 'deadline_exceeded';
    runtime.logger.warn({ ...fields, code }, 'call interrupted');
    return failure.interrupted(code, isUncertain, correlationId);
  }
  const expected = asPublicError(error);
  if (expected !== undefined) {
    runtime.logger.warn({ ...fields, code: expected.code }, 'call failed');
    return failure.reported(expected.code, expected.publicMessage);
  }
  runtime.logger.error(fields, 'call failed unexpectedly');
  return failure.internalFailure(correlationId, isUncertain);
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

/** A signal that aborts with the request's or after the deadline, and a timer that ends with the call. */
function startDeadline(parent: AbortSignal, deadlineMs: number) {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException('deadline exceeded', 'TimeoutError')),
    deadlineMs,
  );
  timer.unref();
  const onAbort = () => controller.abort(parent.reason);
  if (parent.aborted) onAbort();
  else parent.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    at: Date.now() + deadlineMs,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onAbort);
    },
  };
}

/** Settles with the work, or as soon as the signal aborts: a handler that ignores its signal holds nobody up. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
