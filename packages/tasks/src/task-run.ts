import { TaskError } from './errors.ts';
import type { TaskLogger } from './logger.ts';
import { type RunningTask, snapshot, type TaskDefinition, type TaskFailure } from './task.ts';
import type { TaskEvent } from './transition.ts';

const MAX_MESSAGE_LENGTH = 1_000;

/** What a run reports to, and what stops it. */
export interface TaskRunOptions {
  readonly signal: AbortSignal;
  readonly logger: TaskLogger;
  /** Told of progress. Must not throw. */
  readonly report: (event: TaskEvent) => void;
}

/** Runs a task's handler once and says how it ended. Never rejects. */
export async function runTask(
  task: RunningTask,
  definition: TaskDefinition,
  { signal, logger, report }: TaskRunOptions,
): Promise<TaskEvent> {
  try {
    const result = await definition.run(task.input, {
      taskId: task.id,
      ownerId: task.ownerId,
      attempt: task.attempt,
      signal,
      progress: async ({ percent, message }) =>
        report({
          type: 'progress',
          progress: {
            percent: Math.min(100, Math.max(0, percent)) || 0,
            message: message.slice(0, MAX_MESSAGE_LENGTH),
          },
        }),
    });
    return { type: 'complete', result: snapshot(result) };
  } catch (error) {
    return isInterruption(signal)
      ? { type: 'interrupt', policy: definition.onInterrupted }
      : { type: 'fail', error: describeFailure(task, error, signal, logger) };
  }
}

function describeFailure(
  task: RunningTask,
  error: unknown,
  signal: AbortSignal,
  logger: TaskLogger,
): TaskFailure {
  const failure = failureOf(error);
  const fields = { err: error, taskId: task.id, kind: task.kind, attempt: task.attempt, code: failure.code };
  if (signal.aborted) {
    logger.info(fields, 'task ended after cancellation');
  } else if (failure.code === 'internal') {
    logger.error(fields, 'task failed for an internal reason');
  } else {
    logger.warn(fields, 'task failed');
  }
  return failure;
}

function isInterruption({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof TaskError && reason.code === 'interrupted';
}

/** What an owner is told of an error: its code and public message, where it has them. */
export function failureOf(error: unknown): TaskFailure {
  if (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    'publicMessage' in error &&
    typeof error.publicMessage === 'string'
  ) {
    return { code: error.code, message: error.publicMessage };
  }
  return { code: 'internal', message: 'The task failed for an internal reason.' };
}
