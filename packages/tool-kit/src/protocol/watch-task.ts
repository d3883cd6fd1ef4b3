import type { Catalog } from '../catalog/catalog.ts';
import type { JsonObject } from '../json.ts';
import type { Caller, Task, TaskRunner } from '../ports.ts';
import { detailed2026 } from '../tasks/task-view.ts';

/**
 * Calls the listener with the state of a task (SEP-2663, `notifications/tasks`), now and whenever it changes, until the
 * returned function is called; `undefined` when the caller has no such task.
 */
export type WatchTask = (
  id: string,
  caller: Caller,
  listener: (task: JsonObject) => void,
) => Promise<(() => void) | undefined>;

/** Follows the tasks of the catalog's long-running tools. */
export function watchTask(catalog: Catalog, tasks: TaskRunner): WatchTask {
  return async (id, caller, listener) => {
    const task = await tasks.get(id, caller.id);
    const plan = task && catalog.tools.get(task.kind)?.call.longRunning;
    if (task === undefined || plan === undefined) {
      return undefined;
    }
    const options = { ttlMs: tasks.ttlMs, pollIntervalMs: plan.pollIntervalMs };
    const tell = (current: Task) => listener(detailed2026(current, options));
    tell(task);
    return tasks.watch(id, caller.id, tell);
  };
}
