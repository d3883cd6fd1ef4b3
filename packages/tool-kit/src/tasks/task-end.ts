import { CallFailed, type CallFailure } from '../call/failure/failure.ts';
import type { Channel } from '../exchange/channel.ts';
import type { QuestionMethod } from '../exchange/question.ts';
import type { JsonObject } from '../json.ts';
import type { Caller, Task, TaskRunner } from '../ports.ts';
import { RELATED_TASK_META_KEY } from './task-meta.ts';

/** Who waits for the end of a task, and how that client is asked what the task asks. */
interface Waiting {
  readonly tasks: TaskRunner;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly channel: Channel | undefined;
}

/** A person may think for long; the task itself says for how long it waits. */
const ANSWER_WITHIN_MS = 3_600_000;

/**
 * Resolves when the task has ended, which may take hours. Meanwhile what it asks goes to the client that waits
 * (2025-11-25, basic/utilities/tasks).
 */
export async function endOfTask(id: string, { tasks, caller, signal, channel }: Waiting): Promise<Task> {
  const { promise, resolve, reject } = Promise.withResolvers<Task>();
  const asked = new Set<string>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const look = (task: Task) => {
    if (isOver(task)) {
      resolve(task);
    }
    for (const [key, question] of Object.entries(task.questions).filter(([name]) => !asked.has(name))) {
      asked.add(key);
      ask(question, id, channel, signal)
        .then((answer) => answer && tasks.answer(id, caller.id, { [key]: answer }))
        .catch(reject);
    }
  };
  const stop = tasks.watch(id, caller.id, look);
  try {
    signal.throwIfAborted();
    const now = await tasks.get(id, caller.id);
    if (now === undefined) {
      throw new CallFailed(unknownTask());
    }
    look(now);
    return await promise;
  } finally {
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}

/** The client's answer, as `tasks/update` has it; `undefined` when it cannot be asked on this way. */
async function ask(
  { method, params }: JsonObject,
  taskId: string,
  channel: Channel | undefined,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  if (channel?.request === undefined) {
    return undefined;
  }
  // A question of a task is a request of the protocol.
  const reply = await channel.request(
    method as QuestionMethod,
    { ...(params as JsonObject), _meta: { [RELATED_TASK_META_KEY]: { taskId } } },
    { signal, timeoutMs: ANSWER_WITHIN_MS },
  );
  switch (reply.outcome) {
    case 'result':
      return reply.result;
    case 'declined':
      return { action: 'decline' };
    case 'cancelled':
    case 'impossible':
      return { action: 'cancel' };
    default:
      return reply satisfies never;
  }
}

/** A task that does not exist, or belongs to somebody else. */
export function unknownTask(): CallFailure {
  return {
    kind: 'unknown_target',
    code: 'unknown_task',
    message: 'There is no task with this id that you started.',
  };
}

/** Whether a task changes no more. */
export function isOver({ state }: Task): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}
