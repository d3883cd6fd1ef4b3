import type { CallContext } from '../definition/call-context.ts';
import { Allowance } from '../exchange/allowance.ts';
import type { Channel } from '../exchange/channel.ts';
import { ProgressReporter } from '../exchange/progress.ts';
import type { JsonObject } from '../json.ts';
import type { UpstreamCall } from '../ports.ts';
import { withoutUnseen } from '../visible-text.ts';
import type { CallRecord } from './call-record.ts';
import type { Deadline } from './deadline.ts';
import type { RequestContext } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';

const LOG_BURST = 100;
const LOGS_PER_SECOND = 20;
const NO_META: JsonObject = Object.freeze({});

/** What a handler gets. A class, as its parts are made when they are first asked for, which most handlers never do. */
export class HandlerContext implements CallContext {
  readonly caller: CallContext['caller'];
  readonly deadlineAt: number;
  readonly correlationId: string;
  readonly tasks: CallContext['tasks'];
  readonly logger: CallContext['logger'];
  readonly onUpstreamCall: (call: UpstreamCall) => void;
  readonly #deadline: Deadline;
  readonly #channel: Channel | undefined;
  #progress: CallContext['progress'] | undefined;
  #reporter: ProgressReporter | undefined;
  #log: CallContext['log'] | undefined;
  #isEnded = false;

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
    this.#channel = request.channel;
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  get meta(): JsonObject {
    return this.#channel?.meta ?? NO_META;
  }

  get progress(): CallContext['progress'] {
    return (this.#progress ??= this.#createProgress());
  }

  get log(): CallContext['log'] {
    return (this.#log ??= this.#createLog());
  }

  /** Nothing reaches the client from here on but the answer. */
  end(): void {
    this.#isEnded = true;
    this.#reporter?.end();
  }

  #createProgress(): CallContext['progress'] {
    const reporter = this.#isEnded ? undefined : ProgressReporter.of(this.#channel);
    this.#reporter = reporter;
    return (done, total, message) => reporter?.report(done, total, message);
  }

  #createLog(): CallContext['log'] {
    const allowance = new Allowance(LOG_BURST, LOGS_PER_SECOND);
    return (level, data) => {
      if (!this.#isEnded && this.#channel !== undefined && allowance.take()) {
        this.#channel.log(level, withoutUnseen({ data })['data'] ?? null);
      }
    };
  }
}
