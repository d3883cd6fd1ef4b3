import type { RequestContext } from '../call/operation.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { JsonObject } from '../json.ts';
import type { Task, TaskRunner } from '../ports.ts';
import { detailed2026, view2025 } from '../tasks/task-view.ts';

/**
 * Calls the listener with the state of a task, as the notifications of the era have it (SEP-2663, `notifications/tasks`;
 * 2025-11-25, `notifications/tasks/status`), now and whenever it changes, until the returned function is called;
 * `undefined` when the caller has no such task.
 */
export type WatchTask = (
  id: string,
  watcher: Pick<RequestContext, 'caller' | 'era'>,
  listener: (task: JsonObject) => void,
) => Promise<(() => void) | undefined>;

/** Follows the tasks of the catalog's long-running tools. */
export function watchTask(catalog: Catalog, tasks: TaskRunner): WatchTask {
  return async (id, { caller, era }, listener) => {
    const task = await tasks.get(id, caller.id);
    const plan = task && catalog.tools.get(task.kind)?.call.longRunning;
    if (task === undefined || plan === undefined) {
      return undefined;
    }
    const options = { ttlMs: tasks.ttlMs, pollIntervalMs: plan.pollIntervalMs };
    const view = era === '2025' ? view2025 : detailed2026;
    const tell = (current: Task) => listener(view(current, options));
    tell(task);
    return tasks.watch(id, caller.id, tell);
  };
}
