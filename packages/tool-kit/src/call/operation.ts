import type { RecordedArguments } from '../arguments/argument-privacy.ts';
import type { CallContext } from '../definition/call-context.ts';
import type { Approval, Confirmation } from '../definition/confirmation.ts';
import type { OnUnavailable } from '../definition/define-tool.ts';
import type { ToolLimit } from '../definition/limit.ts';
import type { Permission } from '../definition/permission.ts';
import type { Channel } from '../exchange/channel.ts';
import type { JsonObject } from '../json.ts';
import type { AuditEntry, AuditIntent, AuditTrail, Caller, TraceContext } from '../ports.ts';
import type { CallFailure } from './failure/failure.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';

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
  /** The trace that the client says the call belongs to. @default it says nothing */
  readonly traceContext?: TraceContext | undefined;
  /** The way back to the client while it waits. @default there is none: what a handler tells it meanwhile is lost */
  readonly channel?: Channel | undefined;
  /** What the client of this request watches. @default it cannot be told of anything */
  readonly watching?: Watching | undefined;
}

/** The resources that one client watches. */
export interface Watching {
  /** `false` when it watches as many as it may. */
  readonly watch: (uri: string) => boolean;
  readonly unwatch: (uri: string) => void;
}

/** One thing that a client asked for. */
export interface Call {
  readonly method: string;
  /** What the client named, in its own words. */
  readonly target: string;
  /** How to do it; `undefined` when the catalog has no such target. */
  readonly operation: Operation | undefined;
  /** As sent. */
  readonly arguments: unknown;
  /** The client has asked for a task, as those of 2025-11-25 do. @default it has not */
  readonly wantsTask?: boolean | undefined;
  /** What is wrong with the request itself, so that nothing can be looked for. @default it is well formed */
  readonly malformed?: string | undefined;
}

/** The half of a call that comes from a definition, worked out once: a call only runs it. */
export interface OperationOf<Input, Output> {
  /** The definition's name, a bounded set and so fit for a metric label; `_other` for what has none. */
  readonly name: string;
  /** What its span is called and says. */
  readonly span: { readonly name: string; readonly attributes: Readonly<Record<string, string>> };
  /** Who may know of it. @default everybody who is let in */
  readonly permission?: Permission<never> | undefined;
  /** What the authorizer is asked for, once the input is known. @default nothing is asked */
  readonly permissionOf?: ((input: Input, caller: Caller) => string) | undefined;
  readonly parse: (sent: unknown) => Parsed<Input>;
  /** What the trail may keep of the input. */
  readonly record: (input: Input, audit: Pick<AuditTrail, 'digest'>) => RecordedArguments;
  /** Whether it changes nothing. */
  readonly readOnly: boolean;
  /** Lists and completions leave a trace only when they are refused. */
  readonly audited: 'always' | 'refusals';
  /** A part of a list is limited by the list, and measured when it fails. */
  readonly isPart?: boolean | undefined;
  /** @default 'allow-reads' */
  readonly onUnavailable?: OnUnavailable | undefined;
  /** In milliseconds. @default that of the pipeline */
  readonly deadlineMs?: number | undefined;
  /** @default those of its caller and of the server alone */
  readonly limit?: ToolLimit | undefined;
  /** In bytes of JSON; `Infinity` for what is cut into pages. @default that of the pipeline */
  readonly maxOutputBytes?: number | undefined;
  readonly run: (
    input: Input,
    context: CallContext,
    request: RequestContext,
    ports: Pick<ResolvedPipelineOptions, 'tasks' | 'approvals' | 'approveWithinMs'>,
  ) => Promise<Output> | Output;
  /** What a person has to agree to before `run`, or before the task of it is started. @default nothing */
  readonly confirm?:
    | ((
        input: Input,
        context: CallContext,
        ports: Pick<ResolvedPipelineOptions, 'approvals'>,
      ) => Promise<Confirmation | undefined> | Confirmation | undefined)
    | undefined;
  /** Who else may approve it, and with which tool; `given`: it is an approval itself. @default nobody */
  readonly approval?: (Pick<Approval, 'permission'> & { readonly tool: string }) | 'given' | undefined;
  /** For how long a repeated call gets the answer of the first, in milliseconds. @default each call is a call */
  readonly repeatWithinMs?: number | undefined;
  /** `run` goes on after the answer, as a task. @default it gives the answer */
  readonly longRunning?: LongRunningPlan<Input> | undefined;
  /** What goes to the client. What it throws is a fault of the output, not of the work, which is done by then. */
  readonly respond: (output: Output, input: Input, request: Responding) => OperationResponse;
  /** In bytes of either form. @default that of the pipeline */
  readonly answerBytes?: number | undefined;
  /**
   * What goes to the client in place of a response that is larger, and says what was left out; `undefined` when there
   * is no need, or no way to. @default it cannot be cut
   */
  readonly fit?:
    | ((output: Output, input: Input, room: AnswerRoom) => OperationResponse | undefined)
    | undefined;
}

/** How much of an answer may go out. */
export interface AnswerRoom {
  /** For either form, as a client hands a model one of them. */
  readonly formBytes: number;
  /** For all of it. */
  readonly maxBytes: number;
}

/** How a call becomes a task. */
export interface LongRunningPlan<Input> {
  readonly onInterrupted: 'fail' | 'resume';
  /** In milliseconds. */
  readonly pollIntervalMs: number;
  /** The maximum duration of a run, in milliseconds. */
  readonly runMs: number;
  readonly label: (input: Input) => string;
  readonly idempotencyKey: (input: Input) => string | undefined;
  /** Whether its clients must know tasks. */
  readonly isTaskRequired: boolean;
  /** The arguments that the task is started with. @default those that were sent */
  readonly prepare?: ((input: Input, context: CallContext) => Promise<JsonObject>) | undefined;
  /** Why this client cannot be answered. */
  readonly refusal: (call: Call, request: RequestContext) => CallFailure | undefined;
  /** Starts the task; it is durable when this resolves. */
  readonly start: (begun: BegunCall, pipeline: ResolvedPipelineOptions) => Promise<StartedTask>;
  /** The tools for clients that know no tasks. */
  readonly statusTool: string;
  readonly cancelTool: string;
}

/** A call whose intent is recorded. */
export interface BegunCall {
  readonly call: Call;
  readonly operation: Operation;
  readonly input: Sealed;
  readonly request: RequestContext;
  readonly context: CallContext;
  readonly taskId: string;
  readonly entry: AuditEntry | undefined;
  readonly intent: AuditIntent | undefined;
  /** Has the person confirm it. @returns the id of their yes; `undefined` when none was needed */
  readonly confirm: () => Promise<string | undefined>;
  /** Whether the task may be there, however the call ends. */
  readonly noteStart: (mayBeStarted: boolean) => void;
}

/** What became of it. */
export interface StartedTask {
  readonly answer: OperationResponse;
  /** There was a task for it already, which has an intent of its own. */
  readonly isRepeated: boolean;
}

declare const sealed: unique symbol;

/** What the functions of one operation hand to each other, and nobody else looks into. */
export interface Sealed {
  readonly [sealed]: true;
}

/** An operation among others: what its parser gives goes to its own functions only. */
export type Operation = OperationOf<Sealed, Sealed>;

/** Lets an operation stand among others. */
export function sealOperation<Input, Output>(operation: OperationOf<Input, Output>): Operation {
  return operation as unknown as Operation;
}

/** What of a request a response depends on. */
interface Responding {
  /** As the client named it. */
  readonly target: string;
  readonly era: RequestContext['era'];
}

/** An input, or why there is none. */
type Parsed<Input> =
  | { readonly ok: true; readonly input: Input }
  | { readonly ok: false; readonly failure: CallFailure };

/** A result as MCP has it, and whether it reports a failure. */
export interface OperationResponse {
  readonly result: JsonObject;
  readonly isFailure: boolean;
}

/** What a call gave, or why it gave nothing. */
export type CallResult =
  | ({ readonly ok: true } & OperationResponse)
  | { readonly ok: false; readonly failure: CallFailure };

/** How spans are named and what they say, for one method on one definition, or on none. */
export function spanOf(method: string, name?: string): Operation['span'] {
  return {
    name: name === undefined ? method : `${method} ${name}`,
    attributes: { 'mcp.method.name': method },
  };
}
