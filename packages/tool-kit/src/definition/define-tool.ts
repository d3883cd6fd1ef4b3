import type { JsonObject } from '../json.ts';
import type { AuditDetails } from './audit-details.ts';
import type { CallContext } from './call-context.ts';
import type { Approval, Confirmation } from './confirmation.ts';
import type { Content, ResourceLink } from './content.ts';
import type { ToolLimit } from './limit.ts';
import type { ListingOptions } from './listing-options.ts';
import type { LongRunning } from './long-running.ts';
import type { Permission } from './permission.ts';
import type { ArgumentSchema, InputOf, ObjectSchema, OutputOf, ValueSchema } from './schema/object-schema.ts';
import type { DeclaredErrors } from './words/tool-errors.ts';

/** What a tool may do to the world; shown to clients, and decides what happens when a call cannot be recorded. */
export interface ToolAnnotations {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
}

/**
 * What becomes of a call when the audit trail is unavailable and cannot record it. `deny`: it does not run.
 * `allow-reads`: it runs if it is read-only. `allow`: it runs, and leaves a line in the operator's log alone.
 */
export type OnUnavailable = 'deny' | 'allow-reads' | 'allow';

/** What every tool has. */
// Its functions are methods and not properties, so that one list may hold tools of different inputs.
interface ToolBase<Input extends ArgumentSchema<unknown, unknown>> extends ListingOptions {
  /** 1–64 characters of `A–Z a–z 0–9 _ - .`. */
  readonly name: string;
  /**
   * The names that it had before: a call under one of them still reaches it, and no list shows them to a model.
   * @default none
   */
  readonly formerNames?: readonly string[] | undefined;
  /** Starts with a verb; says when to use it, what comes back and what the limits are. */
  readonly description: string;
  /**
   * Use `z.strictObject`, or a union of such, so that a misspelt argument is an error. A field with `.meta({ sensitive: true })` never
   * reaches the audit trail in clear, and one with `.meta({ secret: true })` not even as a digest.
   */
  readonly input: Input;
  readonly annotations: ToolAnnotations;
  readonly permission: Permission<OutputOf<Input>>;
  /**
   * The maximum duration of a call, in milliseconds: 1 to 2147483647; of a long-running tool, of each run of its handler.
   * @default that of the pipeline, 30_000; of a long-running tool 3_600_000
   */
  readonly deadlineMs?: number | undefined;
  /** The handler goes on after the answer. @default it is the answer */
  readonly longRunning?: LongRunning<OutputOf<Input>> | undefined;
  /**
   * A repeated call gets the answer of the first, marked in its `_meta` as `mcp-parts/replayed`, for `windowMs` milliseconds, 1 to
   * 2147483647. Repeated is what has the same caller and arguments or, where the client sends one in `_meta` under
   * `mcp-parts/idempotency-key`, the same key. Not for long-running tools, which have a key of their own.
   *
   * @default each call is a call
   */
  readonly idempotent?: { readonly windowMs: number } | undefined;
  /** How often it may be called, and how many calls may run at once. @default as often as any */
  readonly limit?: ToolLimit | undefined;
  /**
   * From which size its answer is cut short, in bytes of its text or of its structured content: 1024 to 536870912.
   * @default that of the table, 32_768
   */
  readonly answerBytes?: number | undefined;
  /** The failures that it knows, made with `createErrors`. @default none */
  readonly errors?: DeclaredErrors | undefined;
  audit?(input: OutputOf<Input>): AuditDetails;
  /**
   * What a person has to agree to before `handle` runs, as things are now; called again once they have, and when that
   * has changed they are asked again. So it only reads. Bound to the caller and the arguments, good once, and for
   * `answerWithinMs`. A client that cannot ask a person is refused. `undefined`: this call needs no confirmation.
   *
   * @default none is needed
   */
  confirm?(
    input: OutputOf<Input>,
    context: CallContext,
  ): Promise<Confirmation | undefined> | Confirmation | undefined;
  /**
   * Makes the tool with which a second person approves calls, where `confirm` or the policy wants one.
   * @default no call can wait for a second person
   */
  readonly approval?: Approval | undefined;
  /** Whether a call goes on when the audit trail cannot record it. @default 'allow-reads' */
  readonly onUnavailable?: OnUnavailable | undefined;
}

/** A tool: one thing that a person would ask for. Handlers return data; `text` says it to a model. */
export interface ToolDefinition<
  Input extends ArgumentSchema<unknown, unknown> = ArgumentSchema,
  Output extends ValueSchema = ObjectSchema,
> extends ToolBase<Input> {
  /**
   * An object, best. A member `nextStep`, a text, is what the model is to do next: it is said at the end of the text as
   * well. Of any other value, the revisions before 2026-07-28 get an object with the value as its `result`.
   */
  readonly output: Output;
  /** @throws {PublicError} for a failure that the model should read; any other error becomes a reference id. */
  handle(input: OutputOf<Input>, context: CallContext): Promise<InputOf<Output>>;
  /** A short text for a model: the outcome first. @default the output as JSON */
  text?(output: OutputOf<Output>, input: OutputOf<Input>): string;
  /** More blocks, after the text. @default none */
  content?(output: OutputOf<Output>, input: OutputOf<Input>): readonly (string | Content)[];
  /** The `_meta` of the result, by namespaced keys. @default none */
  resultMeta?(output: OutputOf<Output>, input: OutputOf<Input>): JsonObject;
  /** Whether this output is a failure (`isError`). @default false */
  isFailure?(output: OutputOf<Output>): boolean;
  /**
   * Members to set when the answer was too long and lists of it end earlier: the cursor of what comes next, and a
   * `nextStep` that says how to get it. @default the model is told what was left out, and to ask for less at a time
   */
  whenCut?(
    shown: OutputOf<Output>,
    input: OutputOf<Input>,
  ): { readonly [Name in keyof InputOf<Output>]?: InputOf<Output>[Name] | undefined };
  /** Where all of an answer can be read that was too long. @default nowhere */
  whole?(output: OutputOf<Output>, input: OutputOf<Input>): ResourceLink;
}

/** What a tool without an output schema answers: a text, blocks, or blocks with what goes beside them. */
export type ToolAnswer =
  | string
  | readonly (string | Content)[]
  | {
      readonly content: string | readonly (string | Content)[];
      /** Whether it is a failure (`isError`). @default false */
      readonly isFailure?: boolean | undefined;
      /** The `_meta` of the result, by namespaced keys. */
      readonly meta?: JsonObject | undefined;
    };

/** A tool that answers with text, images, sound or resources, and with no data. */
export interface ContentToolDefinition<
  Input extends ArgumentSchema<unknown, unknown> = ArgumentSchema,
> extends ToolBase<Input> {
  readonly output?: undefined;
  /** @throws {PublicError} for a failure that the model should read; any other error becomes a reference id. */
  handle(input: OutputOf<Input>, context: CallContext): Promise<ToolAnswer>;
  /** Where all of an answer, as the handler gave it, can be read that was too long. @default nowhere */
  whole?(answer: unknown, input: OutputOf<Input>): ResourceLink;
}

/** Returns the tool as it is, with the handler's types inferred from its schemas. */
export function defineTool<Input extends ArgumentSchema<unknown, unknown>, Output extends ValueSchema>(
  tool: ToolDefinition<Input, Output>,
): ToolDefinition<Input, Output>;
/** The same for a tool without an output schema. */
export function defineTool<Input extends ArgumentSchema<unknown, unknown>>(
  tool: ContentToolDefinition<Input>,
): ContentToolDefinition<Input>;
export function defineTool(
  tool: ToolDefinition | ContentToolDefinition,
): ToolDefinition | ContentToolDefinition {
  return tool;
}
