import { isEnded, type TaskRecord } from '../store/task-record.ts';
import type { TaskStore } from '../store/task-store.ts';
import type { TaskDefinition } from '../task.ts';
import { transition, type TaskEvent } from './transition.ts';

/** The one way in which this process changes tasks, and where it tells of what it changed. */
export interface Ledger {
  /** Stores what becomes of a task; undefined where nothing does, as when it runs in another attempt by now. */
  readonly apply: (id: string, event: TaskEvent, attempt?: number) => Promise<TaskRecord | undefined>;
  /** Calls the listener with each task that this process changes. */
  readonly onChange: (listener: ChangeListener) => void;
  /** The age of the store as this process knows it. */
  readonly age: () => number;
  /** Lets the store grow older. */
  readonly grow: () => Promise<void>;
}

/** Told of a task as it is now, and of what made it so. */
type ChangeListener = (record: TaskRecord, event: TaskEvent) => void;

/** What a ledger writes with. */
export interface LedgerOptions {
  readonly store: TaskStore;
  readonly workerId: string;
  readonly definitions: ReadonlyMap<string, TaskDefinition>;
  readonly now: () => number;
  /** In milliseconds, and never set. */
  readonly elapsed: () => number;
}

/** Creates the ledger of one worker. */
export function createLedger({ store, workerId, definitions, now, elapsed }: LedgerOptions): Ledger {
  const listeners: ChangeListener[] = [];
  let age = 0;
  let grownAt = elapsed();
  const ageNow = () => Math.round(age + elapsed() - grownAt);

  function settled(next: TaskRecord): TaskRecord {
    const definition = definitions.get(next.kind);
    return isEnded(next) && definition !== undefined && definition.onEnd === undefined
      ? { ...next, isSettled: true }
      : next;
  }

  return {
    age: ageNow,
    onChange: (listener) => void listeners.push(listener),
    async grow() {
      const seen = elapsed();
      age = await store.grow(now(), Math.round(seen - grownAt));
      grownAt = seen;
    },
    async apply(id, event, attempt) {
      for (;;) {
        const record = await store.find(id);
        if (record === undefined || (attempt !== undefined && record.attempt !== attempt)) {
          return undefined;
        }
        const changed = transition(record, event, { at: now(), age: ageNow(), workerId });
        if (changed === undefined) {
          return undefined;
        }
        const next = settled(changed);
        if (await store.replace(record, next)) {
          listeners.forEach((listener) => listener(next, event));
          return next;
        }
        // Somebody else was first; what they did may make this event void.
      }
    },
  };
}
