import type { CallContext } from '../definition/call-context.ts';
import type { UpstreamCall } from '../ports.ts';
import type { CallRecord } from './call-record.ts';
import type { Deadline } from './deadline.ts';
import type { RequestContext } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';

/** What a handler gets. A class, as its `signal` is made when it is first asked for, which most handlers never do. */
export class HandlerContext implements CallContext {
  readonly caller: CallContext['caller'];
  readonly deadlineAt: number;
  readonly correlationId: string;
  readonly tasks: CallContext['tasks'];
  readonly logger: CallContext['logger'];
  readonly onUpstreamCall: (call: UpstreamCall) => void;
  readonly #deadline: Deadline;

  constructor(
    request: RequestContext,
    pipeline: ResolvedPipelineOptions,
    deadline: Deadline,
    record: CallRecord,
  ) {
    this.caller = request.caller;
    this.deadlineAt = deadline.at;
    this.correlationId = request.correlationId;
    this.tasks = pipeline.tasks;
    this.logger = pipeline.logger;
    this.onUpstreamCall = (call) => record.addUpstreamCall(call);
    this.#deadline = deadline;
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }
}
