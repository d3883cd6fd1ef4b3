import { z } from 'zod';

import type { CallFailure } from '../call/failure/failure.ts';
import type { RpcFault } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { AuditOutcome, Task } from '../ports.ts';

const resultSchema = z.object({
  answer: z.record(z.string(), z.json()),
  rpcFault: z.object({ code: z.number(), message: z.string(), data: z.json().optional() }).optional(),
  outcome: z.looseObject({
    result: z.enum(['success', 'failure', 'denied', 'unknown']),
    reason: z.string().optional(),
  }),
});

/** How a call that ran as a task ended: what its client is given, and what the trail is told. */
export interface TaskResult {
  /** A `CallToolResult`. */
  readonly answer: JsonObject;
  /** Given in place of the answer, where it is an error of the protocol. */
  readonly rpcFault?: RpcFault | undefined;
  readonly outcome: Omit<AuditOutcome, 'durationMs'>;
}

/** The result as the engine keeps it. */
export function storeResult({ answer, rpcFault, outcome }: TaskResult): JsonObject {
  return {
    answer,
    ...(rpcFault !== undefined && { rpcFault: { ...rpcFault } }),
    outcome: { ...outcome } as unknown as JsonObject,
  };
}

/** The result of a task of ours that completed. */
export function resultOfTask({ result }: Task): TaskResult | undefined {
  return result === undefined ? undefined : resultSchema.parse(result);
}

/** What the trail says of a call whose task has ended. */
export function outcomeOfTask(
  task: Task,
  { readOnly }: { readonly readOnly: boolean },
): Omit<AuditOutcome, 'durationMs'> {
  const result = resultOfTask(task);
  if (result !== undefined) {
    return result.outcome;
  }
  // What never ran did nothing.
  const isUncertain = task.attempt > 0 && !readOnly && task.error?.code === 'interrupted';
  return {
    result: isUncertain ? 'unknown' : 'failure',
    reason: task.error?.code ?? 'cancelled',
  };
}

/** A failure as a tool's answer: a result that the model reads. */
export function failureAnswer({ message }: Pick<CallFailure, 'message'>): JsonObject {
  return { content: [{ type: 'text', text: message }], isError: true };
}

/** The words in an answer. */
export function textOf(answer: JsonObject): string {
  const { content } = answer;
  return Array.isArray(content)
    ? content
        .flatMap((block: { readonly text?: unknown }) => (typeof block.text === 'string' ? [block.text] : []))
        .join('\n')
    : '';
}
