import type { z } from 'zod';

import type { AuditDetails } from '../definition/audit-details.ts';
import type { CallContext } from '../definition/call-context.ts';
import type { OnUnavailable } from '../definition/define-tool.ts';
import type { Permission } from '../definition/permission.ts';
import type { Caller } from '../ports.ts';
import type { CallFailure } from './failure.ts';

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
  /** In milliseconds. @default that of the pipeline */
  readonly deadlineMs?: number | undefined;
  readonly audit?: ((input: Input) => AuditDetails) | undefined;
  readonly run: (input: Input, context: CallContext) => Promise<Output>;
  /** Whether a returned output reports a failure. */
  readonly isFailure?: ((output: Output) => boolean) | undefined;
}

/** What a call gave, or why it gave nothing. */
export type CallResult<Output> =
  | { readonly ok: true; readonly output: Output; readonly isFailure: boolean }
  | { readonly ok: false; readonly failure: CallFailure };
