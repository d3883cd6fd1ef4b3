import type { AuditEntry, AuditIntent, AuditTrail } from '../ports.ts';

/**
 * The intents of calls that run as tasks, in the trail of this process. Whichever process runs one has an intent of it
 * in its own trail before the handler runs; each trail closes its own.
 */
export interface TaskEntries {
  /** Takes note of the intent with which this process began the call. */
  readonly begun: (taskId: string, entry: AuditEntry) => void;
  /** There is no such task after all, or its outcome is recorded. */
  readonly forget: (taskId: string) => void;
  /** Resolves when the trail has an intent of the call; rejects when it cannot be recorded. */
  readonly enter: (taskId: string, intent: AuditIntent) => Promise<void>;
  /** The intent that waits for the outcome here; `undefined` where this trail has none, or has its outcome. */
  readonly find: (taskId: string, intent: AuditIntent) => Promise<AuditEntry | undefined>;
}

/** The trail itself knows what is open in it, across restarts; one that does not gets the map of a process. */
export function createTaskEntries({ resume, begin }: AuditTrail): TaskEntries {
  if (resume !== undefined) {
    return {
      begun: () => undefined,
      forget: () => undefined,
      enter: async (taskId, intent) => void (resume(taskId) ?? (await begin(intent))),
      find: async (taskId) => resume(taskId),
    };
  }
  const entries = new Map<string, AuditEntry>();
  const find = async (taskId: string, intent: AuditIntent) => {
    const entry = entries.get(taskId) ?? (await begin(intent));
    entries.set(taskId, entry);
    return entry;
  };
  return {
    begun: (taskId, entry) => void entries.set(taskId, entry),
    forget: (taskId) => void entries.delete(taskId),
    enter: async (taskId, intent) => void (await find(taskId, intent)),
    find,
  };
}
