import { openTaskEngine, type Task as EngineTask, type TaskContext, type TaskStore } from '@mcp-parts/tasks';
import type { JsonObject, Task } from '@mcp-parts/tool-kit';

import type { ServerTasks, TaskHost } from './server-ports.ts';

/** The tasks of the kit on the engine of `@mcp-parts/tasks`. */
export async function openEngineTasks(
  store: string | TaskStore,
  { definitions, logger }: TaskHost,
): Promise<ServerTasks> {
  const engine = await openTaskEngine({
    store,
    logger,
    definitions: definitions.map(({ kind, onInterrupted, run }) => ({
      kind,
      onInterrupted: onInterrupted === 'retry' ? 'resume' : 'fail',
      run: (input: JsonObject, context: TaskContext) =>
        run(input, { ...context, progress: async (update) => context.progress(update) }),
    })),
  });
  const shown = async (task: EngineTask, ownerId: string): Promise<Task> => ({
    ...task,
    state: task.state === 'input_required' ? 'running' : task.state,
    input: (await engine.input(task.id, ownerId)) ?? {},
  });
  return {
    start: async (request) => shown(await engine.start(request), request.ownerId),
    async get(id, ownerId) {
      const task = await engine.get(id, ownerId);
      return task && shown(task, ownerId);
    },
    async cancel(id, ownerId) {
      const task = await engine.cancel(id, ownerId);
      return task && shown(task, ownerId);
    },
    close: engine.close,
  };
}
