import type { TaskRecord } from '../store/task-record.ts';
import type { TaskStore } from '../store/task-store.ts';
import { toTask, type Task } from '../task.ts';

/** Who wants to hear of one task each. */
export interface Watchers {
  /** Calls the listener when the task has changed, until the returned function is called. */
  readonly watch: (id: string, ownerId: string, listener: (task: Task) => void) => () => void;
  /** Tells of a change that is known. */
  readonly tell: (record: TaskRecord) => void;
  /** Looks at the watched tasks, for changes that other processes made. */
  readonly look: () => Promise<void>;
}

interface Watcher {
  readonly ownerId: string;
  readonly listener: (task: Task) => void;
  told: string | undefined;
}

/** Nobody watches yet. `show`: how a task looks to its owner. */
export function createWatchers(store: TaskStore, show: (record: TaskRecord) => Task = toTask): Watchers {
  const watchers = new Map<string, Set<Watcher>>();

  function tell(record: TaskRecord): void {
    const watching = watchers.get(record.id);
    if (watching === undefined) {
      return;
    }
    const task = show(record);
    const state = JSON.stringify({ ...task, updatedAt: undefined });
    for (const watcher of watching) {
      if (watcher.ownerId === record.ownerId && watcher.told !== state) {
        watcher.told = state;
        watcher.listener(task);
      }
    }
  }

  return {
    tell,
    watch(id, ownerId, listener) {
      const watcher: Watcher = { ownerId, listener, told: undefined };
      const watching = watchers.get(id) ?? new Set();
      watchers.set(id, watching.add(watcher));
      return () => {
        watching.delete(watcher);
        if (watching.size === 0) {
          watchers.delete(id);
        }
      };
    },
    async look() {
      for (const id of watchers.keys()) {
        const record = await store.find(id);
        if (record !== undefined) {
          tell(record);
        }
      }
    },
  };
}
