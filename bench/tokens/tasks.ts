import type { Task, TaskRunner, TaskWork } from '@mcp-parts/tool-kit';

/** Runs tasks at once, in memory. */
export function createTasks(): {
  readonly runner: TaskRunner;
  /** Resolves when all have ended. */
  readonly ended: () => Promise<unknown>;
} {
  const works = new Map<string, TaskWork>();
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
      ttlMs: 3_600_000,
      work: (work) => void works.set(work.kind, work),
      start({ kind, input, label }) {
        const at = new Date().toISOString();
        const task: Task = {
          // As long as any, and the same in every run.
          id: `15681f9e-f60b-4711-9569-0b9189b4973${tasks.size}`,
          kind,
          label,
          state: 'queued',
          progress: { percent: 0, message: '' },
          questions: {},
          isCancelRequested: false,
          attempt: 0,
          createdAt: at,
          updatedAt: at,
        };
        tasks.set(task.id, task);
        const run = works.get(kind)?.run(input, {
          taskId: task.id,
          attempt: 1,
          signal: new AbortController().signal,
          progress: (progress) => change(task.id, { state: 'running', progress }),
          step: async (_name, work) => work(),
          ask: () => Promise.reject(new Error('nobody is there')),
        });
        if (run !== undefined) {
          running.push(
            run.then((result) => {
              change(task.id, { state: 'completed', result, progress: { percent: 100, message: '' } });
            }),
          );
        }
        return Promise.resolve(task);
      },
      get: (id) => Promise.resolve(tasks.get(id)),
      list: () => Promise.resolve({ tasks: [...tasks.values()] }),
      cancel: (id) => Promise.resolve(tasks.get(id)),
      answer: (id) => Promise.resolve(tasks.get(id)),
      watch: () => () => undefined,
    },
  };
}
