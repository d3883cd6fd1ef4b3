import type { JsonObject } from '../json.ts';

/** What a task's handler gets besides its input. */
export interface TaskContext {
  readonly taskId: string;
  readonly ownerId: string;
  /** 1 for the first run. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly progress: (update: { readonly percent: number; readonly message: string }) => Promise<void>;
}

/** Work that a tool starts and that goes on after the call. */
export interface TaskDefinition {
  readonly kind: string;
  /** What happens to a run that the process did not survive. Choose `retry` only when running twice does no harm. */
  readonly onInterrupted: 'fail' | 'retry';
  /** @throws {Error} with `code` and `publicMessage` for a failure that the model should read. */
  readonly run: (input: JsonObject, context: TaskContext) => Promise<JsonObject>;
}
