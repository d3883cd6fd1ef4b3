import type { JsonObject, JsonValue } from '../json.ts';
import type { Caller, Logger, TaskRunner, UpstreamCall } from '../ports.ts';
import type { InputOf, ObjectSchema, OutputOf } from './object-schema.ts';

/** What a handler gets besides its input. */
export interface CallContext {
  readonly caller: Caller;
  /** Aborted when the client cancels or the deadline passes. Hand it to everything that waits. */
  readonly signal: AbortSignal;
  /** When the call gives up, in milliseconds since the epoch. */
  readonly deadlineAt: number;
  readonly correlationId: string;
  readonly tasks: TaskRunner;
  readonly logger: Logger;
  /**
   * Tell it how each call to a service behind the server ended: the audit trail keeps that with the outcome. What is
   * told after the handler's own call has ended, as when it was cancelled, is lost.
   */
  readonly onUpstreamCall: (call: UpstreamCall) => void;
}

/**
 * The permission that a call needs: one name, or one that depends on the parsed input. `anyOf` lists all that
 * `select` can return; a caller who has none of them does not see the definition at all.
 */
export type Permission<Input> = string | { readonly anyOf: readonly string[]; select(input: Input): string };

/** What a call leaves in the audit trail besides who, when and the outcome. */
export interface AuditDetails {
  /** What is acted on, for example `payment-service/production`. */
  readonly resource?: string | undefined;
  /** The arguments that may be written down in clear; of the others the trail keeps names and keyed digests. */
  readonly arguments?: JsonObject | undefined;
  /** Ship to the collector at once. @default false */
  readonly urgent?: boolean | undefined;
}

/**
 * What becomes of a call when the audit trail is unavailable and cannot record it. `deny`: it does not run.
 * `allow-reads`: it runs if it is read-only. `allow`: it runs, and leaves a line in the operator's log alone.
 */
export type OnUnavailable = 'deny' | 'allow-reads' | 'allow';

/** What a tool may do to the world; shown to clients, and decides what happens when a call cannot be recorded. */
export interface ToolAnnotations {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
}

/** A tool: one thing that a person would ask for. Handlers return data; `text` says it to a model. */
export interface ToolDefinition<
  Input extends ObjectSchema<unknown, unknown> = ObjectSchema,
  Output extends ObjectSchema<unknown, unknown> = ObjectSchema,
> {
  /** 1–64 characters of `A–Z a–z 0–9 _ - .`. */
  readonly name: string;
  readonly title: string;
  /** Starts with a verb; says when to use it, what comes back and what the limits are. */
  readonly description: string;
  /**
   * Use `z.strictObject`, so that a misspelt argument is an error. A field with `.meta({ sensitive: true })` never
   * reaches the audit trail in clear, and one with `.meta({ secret: true })` not even as a digest.
   */
  readonly input: Input;
  readonly output: Output;
  readonly annotations: ToolAnnotations;
  readonly permission: Permission<OutputOf<Input>>;
  /** The longest that a call may take, in milliseconds. @default 30_000 */
  readonly deadlineMs?: number | undefined;
  audit?(input: OutputOf<Input>): AuditDetails;
  /** Whether a call goes on when the audit trail cannot record it. @default 'allow-reads' */
  readonly onUnavailable?: OnUnavailable | undefined;
  /** @throws {PublicError} for a failure that the model should read; any other error becomes a reference id. */
  handle(input: OutputOf<Input>, context: CallContext): Promise<InputOf<Output>>;
  /** A short text for a model: the outcome first, then what to do next. */
  text(output: OutputOf<Output>, input: OutputOf<Input>): string;
  /** Whether this output is a failure (`isError`). @default false */
  isFailure?(output: OutputOf<Output>): boolean;
}

/** One entry of `resources/list`. */
export interface ResourceListing {
  readonly uri: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
}

/** Suggests values for one variable; `known` holds the variables already chosen. */
export type Completer = (
  prefix: string,
  known: Readonly<Record<string, string>>,
  context: CallContext,
) => Promise<readonly string[]>;

/** A resource, or a family of them under a URI template with `{variables}` (RFC 6570 level 1). */
export interface ResourceDefinition<Parameters extends ObjectSchema<unknown, unknown> = ObjectSchema> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly uriTemplate: string;
  /** One string schema for each variable of the template. */
  readonly parameters: Parameters;
  readonly permission: Permission<OutputOf<Parameters>>;
  readonly complete?: { readonly [Name in keyof OutputOf<Parameters>]?: Completer };
  audit?(parameters: OutputOf<Parameters>): AuditDetails;
  /** The resources that exist now. */
  list(context: CallContext): Promise<readonly ResourceListing[]>;
  /** The content, sent as `application/json`; `undefined` when there is no such resource. */
  read(parameters: OutputOf<Parameters>, context: CallContext): Promise<JsonValue | undefined>;
}

/** A prompt: a text that a person picks to start a piece of work with a model. */
export interface PromptDefinition<Arguments extends ObjectSchema<unknown, unknown> = ObjectSchema> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** One string schema for each argument; `.describe()` is shown to the person. */
  readonly arguments: Arguments;
  readonly permission: Permission<OutputOf<Arguments>>;
  readonly complete?: { readonly [Name in keyof OutputOf<Arguments>]?: Completer };
  /** The text of the user message. */
  render(values: OutputOf<Arguments>): string;
}

/** What a task's handler gets besides its input. */
export interface TaskContext {
  readonly taskId: string;
  readonly ownerId: string;
  /** 1 for the first run. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  progress(update: { readonly percent: number; readonly message: string }): Promise<void>;
}

/** Work that a tool starts and that goes on after the answer. */
export interface TaskDefinition {
  readonly kind: string;
  /** What happens to a run that the process did not survive. Choose `retry` only when running twice does no harm. */
  readonly onInterrupted: 'fail' | 'retry';
  /** @throws an error with `code` and `publicMessage` for a failure that the model should read. */
  run(input: JsonObject, context: TaskContext): Promise<JsonObject>;
}

/** Returns the tool as it is, with the handler's types inferred from its schemas. */
export function defineTool<
  Input extends ObjectSchema<unknown, unknown>,
  Output extends ObjectSchema<unknown, unknown>,
>(tool: ToolDefinition<Input, Output>): ToolDefinition<Input, Output> {
  return tool;
}

/** Returns the resource as it is, with the parameters' types inferred from its schema. */
export function defineResource<Parameters extends ObjectSchema<unknown, unknown>>(
  resource: ResourceDefinition<Parameters>,
): ResourceDefinition<Parameters> {
  return resource;
}

/** Returns the prompt as it is, with the arguments' types inferred from its schema. */
export function definePrompt<Arguments extends ObjectSchema<unknown, unknown>>(
  prompt: PromptDefinition<Arguments>,
): PromptDefinition<Arguments> {
  return prompt;
}
