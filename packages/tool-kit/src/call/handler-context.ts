import type { CallContext } from '../definition/call-context.ts';
import type { CallTask } from '../definition/call-task.ts';
import { Allowance } from '../exchange/allowance.ts';
import { firstRound, type CallState } from '../exchange/ask-by-retry.ts';
import type { Channel } from '../exchange/channel.ts';
import { Conversation } from '../exchange/conversation.ts';
import { ProgressReporter } from '../exchange/progress.ts';
import type { JsonObject } from '../json.ts';
import type { TaskContext, UpstreamCall } from '../ports.ts';
import { withoutUnseen } from '../visible-text.ts';
import type { CallRecord } from './call-record.ts';
import type { Deadline } from './deadline.ts';
import type { RequestContext } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';

const LOG_BURST = 100;
const LOGS_PER_SECOND = 20;
const NO_META: JsonObject = Object.freeze({});

/** In which round a call is: what is known of the rounds before, or that this kind of call has no others. */
type Round = CallState | 'first' | 'cannot_ask';

/** Who takes note of what a handler does, and the run of a task that it is, where it is one. */
interface Noted extends Pick<CallRecord, 'addUpstreamCall'> {
  readonly run?: TaskContext | undefined;
}

/** What a handler gets. A class, as its parts are made when they are first asked for, which most handlers never do. */
export class HandlerContext implements CallContext {
  readonly caller: CallContext['caller'];
  readonly correlationId: string;
  readonly logger: CallContext['logger'];
  readonly onUpstreamCall: (call: UpstreamCall) => void;
  readonly task: CallTask | undefined;
  idempotencyKey: string | undefined;
  readonly #run: TaskContext | undefined;
  readonly #deadline: Deadline;
  readonly #channel: Channel | undefined;
  #progress: CallContext['progress'] | undefined;
  #reporter: ProgressReporter | undefined;
  #log: CallContext['log'] | undefined;
  #conversation: Conversation | undefined;
  readonly #round: Round;
  readonly #pipeline: ResolvedPipelineOptions;
  #isEnded = false;

  constructor(
    request: RequestContext,
    pipeline: ResolvedPipelineOptions,
    deadline: Deadline,
    record: Noted,
    round: Round,
  ) {
    this.caller = request.caller;
    this.correlationId = request.correlationId;
    this.logger = pipeline.logger;
    this.onUpstreamCall = (call) => record.addUpstreamCall(call);
    const { run } = record;
    this.task = run && { id: run.taskId, attempt: run.attempt };
    this.#run = run;
    this.#deadline = deadline;
    this.#channel = request.channel;
    this.#round = round;
    this.#pipeline = pipeline;
  }

  get deadlineAt(): number {
    return this.#deadline.at;
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

  get ask(): CallContext['ask'] {
    return this.#talk().ask;
  }

  get once(): CallContext['once'] {
    return this.#run?.step ?? this.#talk().once;
  }

  /** Whether the client must answer before the call can go on. */
  get isAsking(): boolean {
    return this.#conversation?.isAsking === true;
  }

  /** What the client is to be asked before the call can go on. */
  get questions(): ReturnType<Conversation['next']> {
    return this.#conversation?.next();
  }

  /** Nothing reaches the client from here on but the answer. */
  end(): void {
    this.#isEnded = true;
    this.#reporter?.end();
  }

  #talk(): Conversation {
    return (this.#conversation ??= new Conversation({
      channel: this.#round === 'cannot_ask' ? undefined : this.#channel,
      state: typeof this.#round === 'object' ? this.#round : firstRound(this.correlationId),
      signal: () => this.#deadline.signal,
      answerWithinMs: this.#pipeline.answerWithinMs,
      pause: () => this.#deadline.pause(),
    }));
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
