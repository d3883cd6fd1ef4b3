import { randomUUID } from 'node:crypto';

import { briefError, traceField } from '../brief-error.ts';
import { confirmCall } from '../confirmation/confirm-call.ts';
import { asPublicError, explained } from '../errors.ts';
import type { CallState } from '../exchange/ask-by-retry.ts';
import { MissingCapability } from '../exchange/question.ts';
import type { StateBinding } from '../exchange/request-state.ts';
import { inputRequired, resumeRound } from '../exchange/rounds.ts';
import { Repeat, replayed } from '../idempotency/repeat.ts';
import type { JsonObject } from '../json.ts';
import type { Exceeded } from '../limits/call-limiter.ts';
import { HeldPlace } from '../limits/held-place.ts';
import type { Place } from '../ports.ts';
import { mayRunUnrecorded } from '../trail/may-run-unrecorded.ts';
import { admit, type Admission, type Asker, type Denial } from './admit.ts';
import { CallRecord, resultOf, type CallDetails } from './call-record.ts';
import { Deadline } from './deadline.ts';
import * as failure from './failure/failure.ts';
import { HandlerContext } from './handler-context.ts';
import { hooked } from './hook.ts';
import type { Call, CallResult, Operation, RequestContext, Sealed, StartedTask } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';
import { toldOutput } from './told-output.ts';

/** A call that can be asked what it needs before it runs; none of its steps is taken twice. */
export interface PreparedRun {
  /** What the policy refuses, if it is the policy that will refuse this call. Never rejects. */
  readonly denial: () => Promise<Denial | undefined>;
  /** Runs it. Never rejects; every exit is audited and measured. The request is one of the same caller. */
  readonly run: (request: RequestContext) => Promise<CallResult>;
  /** Ends it, in place of running it, with a refusal of the transport's own. */
  readonly refuse: (request: RequestContext, reason: string) => Promise<void>;
}

/**
 * Runs one call, in this order: limit, find it, parse the input, authorize what was parsed, take a place, record the
 * intent, answer a repetition, ask for the person's yes, run, all of that under a deadline; then cap the output and
 * record the outcome. Never rejects; every exit is audited and measured.
 */
export function runCall(
  call: Call,
  request: RequestContext,
  pipeline: ResolvedPipelineOptions,
): Promise<CallResult> {
  return new PipelinedCall(call, request, pipeline).run(request);
}

/** The same, for a transport that wants to know of a denial first. */
export function prepareCall(call: Call, asker: Asker, pipeline: ResolvedPipelineOptions): PreparedRun {
  const prepared = new PipelinedCall(call, asker, pipeline);
  return {
    denial: () => prepared.denial(),
    run: (request) => prepared.run(request),
    refuse: (request, reason) => prepared.refuse(request, reason),
  };
}

/** In place of an output: the client is asked first. */
const ASKED = Symbol('asked');

class PipelinedCall {
  readonly #call: Call;
  readonly #asker: Asker;
  readonly #pipeline: ResolvedPipelineOptions;
  readonly #record: CallRecord;
  readonly #deadline: Deadline;
  #admission: Promise<Admission> | undefined;
  readonly #held = new HeldPlace();
  /** From there on a change may have happened, whatever else goes wrong. */
  #isUncertain = false;
  #context: HandlerContext | undefined;
  /** For a tool whose calls may be repeated. */
  #repeat: Repeat | undefined;

  constructor(call: Call, asker: Asker, pipeline: ResolvedPipelineOptions) {
    this.#call = call;
    this.#asker = asker;
    this.#pipeline = pipeline;
    this.#record = new CallRecord(call, pipeline);
    this.#deadline = new Deadline(call.operation?.deadlineMs ?? pipeline.deadlineMs);
    this.#deadline.follow(asker.signal);
  }

  #admit(): Promise<Admission> {
    return (this.#admission ??= admit(this.#call, this.#asker, this.#pipeline, this.#deadline));
  }

  async denial(): Promise<Denial | undefined> {
    try {
      const admission = await this.#admit();
      return admission.admitted ? undefined : admission.denied?.denial;
    } catch {
      // The call meets the same error when it runs, and explains and records it there.
      return undefined;
    }
  }

  async refuse(request: RequestContext, reason: string): Promise<void> {
    using _deadline = this.#deadline;
    const denied = await this.#admit().then(
      (admission) => (admission.admitted ? undefined : admission.denied),
      () => undefined,
    );
    await this.#record.refuse(request, reason, this.#detailsOf(denied?.input, denied?.denial.decision.rule));
  }

  async run(sent: RequestContext): Promise<CallResult> {
    using deadline = this.#deadline;
    using held = this.#held;
    deadline.follow(sent.signal);
    let request = sent;
    const pipeline = this.#pipeline;
    const record = this.#record;
    let details: CallDetails = {};
    try {
      const admission = await this.#admit();
      if (!admission.admitted) {
        const { denied } = admission;
        const known = denied && this.#detailsOf(denied.input, denied.denial.decision.rule);
        return await record.fail(request, admission.failure, known);
      }
      const { operation, input, rule } = admission;
      const { retry } = request.channel ?? {};
      const resumed = retry && resumeRound(retry, this.#binding(), pipeline.stateSeal);
      if (resumed?.ok === false) {
        const refused = failure.invalidRequestState(resumed.isExpired);
        return await record.fail(request, refused, this.#detailsOf(input, rule));
      }
      if (resumed !== undefined) {
        // All rounds are one call, and found under one id.
        request = { ...request, correlationId: resumed.state.correlationId };
      }
      const unfit = operation.longRunning?.refusal(this.#call, request);
      if (unfit !== undefined) {
        return await record.fail(request, unfit, this.#detailsOf(input, rule));
      }
      const entering = this.#entering(operation);
      const exceeded = entering && (await held.take(entering, deadline.until(entering)));
      if (exceeded !== undefined) {
        return await record.fail(request, failure.limited(exceeded), this.#detailsOf(input, rule));
      }

      const taskId = operation.longRunning && randomUUID();
      if (operation.audited === 'always') {
        details = { ...operation.record(input, pipeline.audit), rule };
        const isRecorded = await record.begin(request, details, taskId);
        if (!isRecorded && !mayRunUnrecorded(operation)) {
          return await record.fail(request, failure.notRecorded(request.correlationId), details);
        }
      }

      // Nobody waits any more for a call that was cancelled on the way here.
      deadline.throwIfInterrupted();
      const { repeatWithinMs } = operation;
      if (repeatWithinMs !== undefined) {
        this.#repeat = new Repeat(this.#binding(), request.channel?.meta ?? {}, repeatWithinMs, pipeline);
        const earlier = await deadline.until(this.#repeat.begin(deadline.signal));
        if (earlier !== undefined) {
          return await record.repeat(request, replayed(earlier));
        }
      }
      const output = await this.#work(operation, input, request, { state: resumed?.state, taskId });
      if (output === ASKED) {
        this.#isUncertain = false;
        await this.#repeat?.release();
        return await record.suspend(request, this.#inputRequired());
      }
      if (operation.longRunning !== undefined) {
        const { answer, isRepeated } = output as unknown as StartedTask;
        // A task's own end is the end of the call that began it.
        return isRepeated ? await record.succeed(request, answer) : { ok: true, ...answer };
      }
      const told = toldOutput(operation, { input, output, target: this.#call.target, request }, pipeline);
      if (this.#repeat !== undefined) {
        await this.#repeat.settle('failure' in told ? resultOf(told.failure) : told);
      }
      return 'failure' in told
        ? await record.fail(request, told.failure, details)
        : await record.succeed(request, told);
    } catch (error) {
      const failed = explained(
        () => this.#explain(error, request),
        () => failure.internalFailure(request.correlationId, this.#isUncertain),
      );
      if (this.#repeat !== undefined) {
        await this.#repeat.settle(resultOf(failed));
      }
      return record.fail(request, failed, details);
    } finally {
      this.#context?.end();
    }
  }

  /** Lists and completions hold no place. A handler may go on for a while after its deadline. */
  #entering(operation: Operation): Promise<Exceeded | Place> | undefined {
    if (operation.audited !== 'always') {
      return undefined;
    }
    const { limiter, deadlineMs } = this.#pipeline;
    return limiter.enter(operation, this.#asker.caller.id, 2 * (operation.deadlineMs ?? deadlineMs));
  }

  /** The handler with the hooks around it, in its span; `ASKED` when its client must answer first. */
  async #work(
    operation: Operation,
    input: Sealed,
    request: RequestContext,
    { state, taskId }: { readonly state: CallState | undefined; readonly taskId: string | undefined },
  ): Promise<Sealed | typeof ASKED> {
    const deadline = this.#deadline;
    const record = this.#record;
    const round = operation.audited === 'always' ? (state ?? 'first') : 'cannot_ask';
    const context = new HandlerContext(request, this.#pipeline, deadline, record, round);
    this.#context = context;
    context.idempotencyKey = this.#repeat?.upstreamKey;
    const { hooks, telemetry } = this.#pipeline;
    const { confirm: confirmation, longRunning } = operation;
    const confirm = async () => {
      if (confirmation !== undefined) {
        const asking = {
          tool: operation.name,
          arguments: this.#call.arguments,
          approval: operation.approval,
          confirmation: () => confirmation(input, context, this.#pipeline),
          round: state?.round ?? 0,
        };
        record.confirmationId = await confirmCall(context, asking, this.#pipeline);
      }
      return record.confirmationId;
    };
    const run = () => {
      this.#isUncertain = !operation.readOnly;
      return operation.run(input, context, request, this.#pipeline);
    };
    const work = () => {
      if (longRunning !== undefined && taskId !== undefined) {
        const noteStart = (mayBe: boolean) => void (this.#isUncertain = mayBe && !operation.readOnly);
        const begun = { call: this.#call, operation, input, request, context, taskId, confirm, noteStart };
        const starting = longRunning.start({ ...begun, ...record.begun }, this.#pipeline);
        return starting as Promise<unknown> as Promise<Sealed>;
      }
      return confirmation === undefined ? run() : confirm().then(run);
    };
    const { span, name, readOnly } = operation;
    const { method } = this.#call;
    const traced = async () => {
      record.enterTrace();
      // What has no definition has no handler, and that of a task runs later. Whatever a hook makes of an output is checked as the output is.
      const withHooks =
        hooks.length === 0 || name === '_other' || taskId !== undefined
          ? work
          : () =>
              hooked(hooks, { method, name, readOnly, input, context }, async () =>
                work(),
              ) as Promise<Sealed>;
      try {
        const output = await deadline.until(this.#held.during(withHooks));
        return context.isAsking ? ASKED : output;
      } catch (error) {
        // A handler that has asked has ended there, whatever it has made of that since.
        if (context.isAsking && deadline.interruption === undefined) {
          return ASKED;
        }
        throw error;
      }
    };
    return telemetry.span(span.name, span.attributes, traced, request.traceContext);
  }

  #inputRequired(): JsonObject {
    const { stateSeal, answerWithinMs } = this.#pipeline;
    return inputRequired(this.#context?.questions, this.#binding(), stateSeal, Date.now() + answerWithinMs);
  }

  /** What ties the rounds of a call together. */
  #binding(): StateBinding {
    const { method, target, arguments: sent } = this.#call;
    return { callerId: this.#asker.caller.id, method, target, arguments: sent };
  }

  /** Logs the cause for the operator and finds the words for the model. */
  #explain(error: unknown, { correlationId }: RequestContext): failure.CallFailure {
    if (error instanceof failure.CallFailed) {
      return error.failure;
    }
    const { logger } = this.#pipeline;
    const fields = {
      correlationId,
      target: this.#call.operation?.name ?? '_other',
      ...traceField(this.#record.traceId),
    };
    const code = this.#deadline.interruption;
    if (code !== undefined) {
      logger.warn({ ...fields, failure: briefError(error), code }, 'call interrupted');
      return failure.interrupted(code, this.#isUncertain, correlationId);
    }
    const expected = asPublicError(error);
    if (expected !== undefined) {
      logger.warn({ ...fields, failure: briefError(error), code: expected.code }, 'call failed');
      return failure.reported(
        expected.code,
        expected.publicMessage,
        expected.nextStep,
        error instanceof MissingCapability ? error.requiredCapabilities : undefined,
      );
    }
    logger.error({ err: error, ...fields }, 'call failed unexpectedly');
    return failure.internalFailure(correlationId, this.#isUncertain);
  }

  /** What the trail keeps of a call that was refused; a fault in the definition does not keep the refusal out of it. */
  #detailsOf(input: Sealed | undefined, rule: string | undefined): CallDetails {
    const { operation } = this.#call;
    if (operation === undefined || input === undefined) {
      return { rule };
    }
    try {
      return { ...operation.record(input, this.#pipeline.audit), rule };
    } catch (error) {
      const { correlationId } = this.#asker;
      this.#pipeline.logger.error(
        { err: error, correlationId, target: operation.name },
        'arguments not recorded',
      );
      return { rule };
    }
  }
}
