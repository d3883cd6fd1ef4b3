import type { Task, TaskDefinition, TaskRunner } from '@mcp-parts/tool-kit';

/** Runs tasks at once, in memory. */
export function createTasks(definitions: readonly TaskDefinition[]): {
  readonly runner: TaskRunner;
  /** Resolves when all have ended. */
  readonly ended: () => Promise<unknown>;
} {
  const tasks = new Map<string, Task>();
  const running: Promise<void>[] = [];
  const change = (id: string, changes: Partial<Task>) => {
    const task = tasks.get(id);
    if (task !== undefined) {
      tasks.set(id, { ...task, ...changes });
    }
  };
  return {
    ended: () => Promise.all(running),
    runner: {
      start({ kind, input, ownerId }) {
        const definition = definitions.find((one) => one.kind === kind);
        const at = new Date().toISOString();
        const task: Task = {
          // As long as any, and the same in every run.
          id: `15681f9e-f60b-4711-9569-0b9189b4973${tasks.size}`,
          kind,
          state: 'queued',
          progress: { percent: 0, message: '' },
          input,
          createdAt: at,
          updatedAt: at,
        };
        tasks.set(task.id, task);
        if (definition !== undefined) {
          const run = definition.run(input, {
            taskId: task.id,
            ownerId,
            attempt: 1,
            signal: new AbortController().signal,
            progress: (progress) => Promise.resolve(change(task.id, { state: 'running', progress })),
          });
          running.push(
            run.then((result) => {
              change(task.id, { state: 'completed', result, progress: { percent: 100, message: '' } });
            }),
          );
        }
        return Promise.resolve(task);
      },
      get: (id) => Promise.resolve(tasks.get(id)),
      cancel: (id) => Promise.resolve(tasks.get(id)),
    },
  };
}
