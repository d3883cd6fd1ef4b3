import { briefError, traceField } from '../brief-error.ts';
import { decide } from '../call/admit.ts';
import { resultOf } from '../call/call-record.ts';
import { Deadline } from '../call/deadline.ts';
import * as failure from '../call/failure/failure.ts';
import { HandlerContext } from '../call/handler-context.ts';
import { hooked } from '../call/hook.ts';
import type { LongRunningPlan, Operation, RequestContext, Sealed } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { toldOutput } from '../call/told-output.ts';
import { asPublicError, asRpcFault, explained } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { keepRunPlaces } from '../limits/run-places.ts';
import type { Caller, TaskContext, TaskWork, UpstreamCall } from '../ports.ts';
import { mayRunUnrecorded } from '../trail/may-run-unrecorded.ts';
import { endCall } from './end-call.ts';
import { readCall, type StoredCall } from './stored-call.ts';
import { TaskChannel } from './task-channel.ts';
import { failureAnswer, storeResult } from './task-result.ts';

/** What runs the calls of one long-running tool, as `current` has it when they run, and writes down how they end. */
export function callWork(
  { name, readOnly }: Operation,
  { onInterrupted }: LongRunningPlan<Sealed>,
  current: () => Operation | undefined,
  pipeline: ResolvedPipelineOptions,
): TaskWork {
  return {
    kind: name,
    onInterrupted,
    run(input, task) {
      const operation = current();
      if (operation?.longRunning === undefined) {
        throw new failure.CallFailed(failure.unknownTarget('tools/call', name, false));
      }
      return new CallRun(operation, readCall(input), task, pipeline).run(operation.longRunning.runMs);
    },
    onEnd: (task, input) => endCall(task, readCall(input), current() ?? { name, readOnly }, pipeline),
  };
}

/** The code of what a handler has thrown as an error of JSON-RPC. */
const PROTOCOL_ERROR = 'protocol_error';

/** One run: everything that a call gets between its intent and its outcome, on the facts of now. */
class CallRun {
  readonly #operation: Operation;
  readonly #call: StoredCall;
  readonly #task: TaskContext;
  readonly #pipeline: ResolvedPipelineOptions;
  readonly #upstreamCalls: UpstreamCall[] = [];
  #traceId: string | undefined;
  /** From there on a change may have happened, whatever else goes wrong. */
  #isUncertain: boolean;

  constructor(operation: Operation, call: StoredCall, task: TaskContext, pipeline: ResolvedPipelineOptions) {
    this.#operation = operation;
    this.#call = call;
    this.#task = task;
    this.#pipeline = pipeline;
    this.#isUncertain = task.attempt > 1 && !operation.readOnly;
  }

  async run(runMs: number): Promise<JsonObject> {
    const { signal } = this.#task;
    using deadline = new Deadline(runMs);
    deadline.follow(signal);
    using _places = this.#keepPlaces();
    try {
      const input = await this.#admit(deadline);
      await this.#enter();
      const output = await this.#work(input, deadline);
      const { target, correlationId, era, client } = this.#call;
      const told = toldOutput(
        this.#operation,
        { input, output, target, request: { correlationId, era, client } },
        this.#pipeline,
      );
      if ('failure' in told) {
        return this.#failed(told.failure);
      }
      const { result: answer, isFailure } = told;
      return storeResult({
        answer,
        outcome: {
          result: isFailure ? 'failure' : 'success',
          reason: isFailure ? 'reported_failure' : undefined,
          ...this.#observed(),
        },
      });
    } catch (error) {
      // Cancelled, or to be gone on with elsewhere: the engine says what becomes of it.
      if (signal.aborted) {
        throw error;
      }
      const failed = explained(
        () => this.#explain(error, deadline),
        () => failure.internalFailure(this.#call.correlationId, this.#isUncertain),
      );
      return this.#failed(failed);
    }
  }

  /** Also after a crash, and where the tool has no place left: what has begun goes on. */
  #keepPlaces(): Disposable {
    const { caller, runId = this.#task.taskId } = this.#call;
    const run = { tool: this.#operation, callerId: caller.id, id: runId };
    return keepRunPlaces(this.#pipeline.limiter, run, this.#pipeline.logger);
  }

  /** Parses again, and decides again: hours may have passed, and another version may have been deployed. */
  async #admit(deadline: Deadline): Promise<Sealed> {
    const parsed = this.#operation.parse(this.#call.arguments);
    if (!parsed.ok) {
      throw new failure.CallFailed(parsed.failure);
    }
    const { caller, correlationId } = this.#call;
    const permission = this.#operation.permissionOf?.(parsed.input, caller);
    // What is cancelled is only undone, and that needs no permission any more.
    if (permission !== undefined && !this.#task.signal.aborted) {
      const decision = await decide(permission, { caller, correlationId }, this.#pipeline, deadline);
      if (!decision.allowed) {
        throw new failure.CallFailed(failure.denied(decision.reason, permission, correlationId));
      }
    }
    return parsed.input;
  }

  /** The process that runs it may not be the one that began it, whose trail another cannot write to. */
  async #enter(): Promise<void> {
    const { intent, correlationId } = this.#call;
    if (intent === undefined) {
      return;
    }
    try {
      await this.#pipeline.taskEntries.enter(this.#task.taskId, intent);
    } catch (error) {
      this.#pipeline.logger.error({ err: error, correlationId }, 'audit intent not recorded');
      if (!mayRunUnrecorded(this.#operation)) {
        throw new failure.CallFailed(failure.notRecorded(correlationId));
      }
    }
  }

  async #work(input: Sealed, deadline: Deadline): Promise<Sealed> {
    const { hooks, telemetry } = this.#pipeline;
    const { span, name, readOnly } = this.#operation;
    const request = this.#request(deadline);
    const record = {
      addUpstreamCall: (call: UpstreamCall) => void this.#upstreamCalls.push(call),
      run: this.#task,
    };
    const context = new HandlerContext(request, this.#pipeline, deadline, record, 'first');
    const work = async () => {
      this.#isUncertain = !readOnly;
      return this.#operation.run(input, context, request, this.#pipeline);
    };
    try {
      return await telemetry.span(`${span.name} (task)`, span.attributes, async () => {
        this.#traceId = telemetry.activeTraceId?.();
        // A handler that is told to stop is waited for: it may have something to undo.
        return hooks.length === 0
          ? work()
          : ((await hooked(
              hooks,
              { method: this.#call.method, name, readOnly, input, context },
              work,
            )) as Sealed);
      });
    } finally {
      context.end();
    }
  }

  #request({ signal }: Deadline): RequestContext {
    const { caller, era, transport, client, correlationId, sourceAddress } = this.#call;
    return {
      caller: caller satisfies Caller,
      signal,
      era,
      transport,
      client,
      correlationId,
      sourceAddress,
      channel: new TaskChannel(this.#task, this.#call.capabilities),
    };
  }

  #failed(failed: failure.CallFailure): JsonObject {
    // What a resumed run is refused may have been begun by an earlier one.
    const isRefused = failed.kind === 'denied' || failed.kind === 'not_recorded';
    const result = this.#isUncertain && isRefused ? 'unknown' : resultOf(failed);
    const answer = failureAnswer(failed);
    return storeResult({
      answer,
      rpcFault: 'rpcFault' in failed ? failed.rpcFault : undefined,
      outcome: { result, reason: failed.code, ...this.#observed() },
    });
  }

  #observed() {
    return {
      traceId: this.#traceId,
      upstreamCalls: this.#upstreamCalls.length === 0 ? undefined : this.#upstreamCalls,
    };
  }

  #explain(error: unknown, { interruption }: Deadline): failure.CallFailure {
    if (error instanceof failure.CallFailed) {
      return error.failure;
    }
    const { logger } = this.#pipeline;
    const { correlationId } = this.#call;
    const fields = {
      correlationId,
      target: this.#operation.name,
      taskId: this.#task.taskId,
      ...traceField(this.#traceId),
    };
    if (interruption !== undefined) {
      logger.warn({ ...fields, failure: briefError(error), code: interruption }, 'call interrupted');
      return failure.interrupted(interruption, this.#isUncertain, correlationId);
    }
    const fault = asRpcFault(error);
    if (fault !== undefined) {
      logger.warn({ ...fields, failure: briefError(error), code: PROTOCOL_ERROR }, 'call failed');
      return failure.protocolFault(PROTOCOL_ERROR, fault);
    }
    const expected = asPublicError(error);
    if (expected !== undefined) {
      logger.warn({ ...fields, failure: briefError(error), code: expected.code }, 'call failed');
      return failure.reported(expected.code, expected.publicMessage);
    }
    logger.error({ err: error, ...fields }, 'call failed unexpectedly');
    return failure.internalFailure(correlationId, this.#isUncertain);
  }
}
