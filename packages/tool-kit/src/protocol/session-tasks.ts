import type { JsonObject } from '../json.ts';
import type { Caller } from '../ports.ts';
import type { WatchTask } from './watch-task.ts';

/** What one session of the 2025 era is told of the tasks that it has created. */
export interface SessionTasks {
  /** Follows the task that an answer to this caller is about, if it is about a new one. */
  readonly follow: (answer: JsonObject, caller: Caller) => void;
  readonly close: () => void;
}

/** Further tasks of a session are only polled. */
const MAX_FOLLOWED = 100;
const OVER: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);

/**
 * Tells of each change of status (2025-11-25, basic/utilities/tasks, `notifications/tasks/status`). `notify` sends to the
 * client, and rejects once that is gone.
 */
export function createSessionTasks(
  watchTask: WatchTask,
  notify: (method: string, params: JsonObject) => Promise<void>,
): SessionTasks {
  const followed = new Map<string, () => void>();
  let isClosed = false;

  function close(): void {
    isClosed = true;
    followed.forEach((stop) => stop());
    followed.clear();
  }

  async function watch(id: string, status: unknown, caller: Caller): Promise<void> {
    let told = status;
    const stop = await watchTask(id, { caller, era: '2025' }, (task) => {
      if (task['status'] === told || !followed.has(id)) {
        return;
      }
      told = task['status'];
      // Nobody is there to be told anything more.
      notify('notifications/tasks/status', task).catch(close);
      if (OVER.has(told)) {
        followed.get(id)?.();
        followed.delete(id);
      }
    });
    if (stop === undefined || isClosed || !followed.has(id)) {
      stop?.();
      followed.delete(id);
    } else {
      followed.set(id, stop);
    }
  }

  return {
    follow({ task }, caller) {
      // Only the answer to a call that became a task has this member.
      const { taskId, status } = (task ?? {}) as JsonObject;
      if (typeof taskId !== 'string' || isClosed || followed.size >= MAX_FOLLOWED || followed.has(taskId)) {
        return;
      }
      followed.set(taskId, () => undefined);
      // A task that cannot be followed is polled.
      watch(taskId, status, caller).catch(() => void followed.delete(taskId));
    },
    close,
  };
}
