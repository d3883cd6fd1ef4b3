import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import {
  createTrailAdoption,
  openAuditTrail,
  type AuditTrail,
  type AuditTrailOptions,
  type TaskEnd,
  type TrailAdoption,
} from '@mcp-parts/audit';
import { openTaskEngine, type TaskEngineOptions } from '@mcp-parts/tasks';
import type { Logger, Task } from '@mcp-parts/tool-kit';

import type { ServerTasks } from './server-ports.ts';

// A desktop may run one stdio server for each client and window.
const MAX_PROCESSES = 64;

/** What is kept in a state directory; a part that is `undefined` is kept elsewhere. */
export interface StateOptions {
  readonly directory: string;
  readonly audit: Omit<AuditTrailOptions, 'directory' | 'logger'> | undefined;
  /** An engine that is there already. @default one in the directory */
  readonly tasks: ServerTasks | undefined;
  /** Of the engine in the directory. */
  readonly taskOptions: Omit<TaskEngineOptions, 'store'>;
  /** What the trail says of a task that has ended. */
  readonly outcomeOfTask: (task: Task) => Exclude<TaskEnd, string | undefined>;
  readonly logger: Logger;
}

/** What is open in a state directory. */
export interface State {
  readonly audit: AuditTrail | undefined;
  readonly tasks: ServerTasks;
  /** Ships, in the background, the audit events that dead processes left in the other directories. */
  readonly adoption: TrailAdoption | undefined;
}

/**
 * Opens the audit trail in the first numbered directory that no living process holds; the lock is the trail's own, which
 * the kernel frees when a process dies. All processes share one task store.
 *
 * @throws {Error} when the state directory cannot be used, or all of its directories are held.
 */
export async function openState({
  directory: root,
  audit: given,
  tasks,
  taskOptions,
  outcomeOfTask,
  logger,
}: StateOptions): Promise<State> {
  // Before the trail, which leaves the intents of known tasks to those who run them.
  const engine = tasks ?? (await openTaskEngine({ ...taskOptions, store: join(root, 'tasks.db') }));
  const audit = given && {
    ...given,
    async outcomeOfTask(taskId: string) {
      const found = await engine.settled?.(taskId);
      return typeof found === 'object' ? outcomeOfTask(found) : found;
    },
  };
  try {
    return await openTrail(root, audit, engine, logger);
  } catch (error) {
    if (tasks === undefined) {
      await engine.close();
    }
    throw error;
  }
}

async function openTrail(
  root: string,
  audit: StateOptions['audit'],
  engine: ServerTasks,
  logger: Logger,
): Promise<State> {
  for (let number = 1; number <= MAX_PROCESSES; number += 1) {
    const directory = join(root, String(number));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const trail =
      audit &&
      (await unlessLocked(openAuditTrail({ directory: join(directory, 'audit'), ...audit, logger })));
    if (trail === 'locked') {
      continue;
    }
    try {
      const adoption = audit && createTrailAdoption({ directories: () => trails(root), ...audit, logger });
      return { audit: trail, tasks: engine, adoption };
    } catch (error) {
      await trail?.close();
      throw error;
    }
  }
  throw new Error(`stateDirectory: ${MAX_PROCESSES} processes hold all of its directories`);
}

async function trails(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^\d+$/u.test(name)).map((name) => join(directory, name, 'audit'));
}

async function unlessLocked<T>(opening: Promise<T>): Promise<T | 'locked'> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'locked') {
      return 'locked';
    }
    throw error;
  }
}
