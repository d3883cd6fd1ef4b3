import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import {
  createTrailAdoption,
  openAuditTrail,
  type AuditTrail,
  type AuditTrailOptions,
  type TrailAdoption,
} from '@mcp-parts/audit';
import { openTaskEngine, type TaskEngine, type TaskEngineOptions } from '@mcp-parts/tasks';
import type { Logger } from '@mcp-parts/tool-kit';

// A desktop may run one stdio server for each client and window.
const MAX_PROCESSES = 64;

/** What is kept in a state directory. */
export interface StateOptions {
  readonly directory: string;
  readonly audit: Omit<AuditTrailOptions, 'directory' | 'logger'>;
  readonly tasks: Pick<TaskEngineOptions, 'definitions'>;
  readonly logger: Logger;
}

/** What is open in a state directory. */
export interface State {
  readonly audit: AuditTrail;
  readonly tasks: TaskEngine;
  /** Ships, in the background, the audit events that dead processes left in the other directories. */
  readonly adoption: TrailAdoption;
}

/**
 * Opens the audit trail and the task store in the first numbered directory that no living process holds. The
 * lock is the trail's own, which the kernel frees when a process dies.
 *
 * @throws {Error} when the state directory cannot be used, or all of its directories are held.
 */
export async function openState(options: StateOptions): Promise<State> {
  const { logger } = options;
  for (let number = 1; number <= MAX_PROCESSES; number += 1) {
    const directory = join(options.directory, String(number));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const audit = await openUnlessLocked(join(directory, 'audit'), options);
    if (audit === undefined) {
      continue;
    }
    try {
      const tasks = await openTaskEngine({ path: join(directory, 'tasks.sqlite'), ...options.tasks, logger });
      const adoption = createTrailAdoption({
        directories: () => trails(options.directory),
        ...options.audit,
        logger,
      });
      return { audit, tasks, adoption };
    } catch (error) {
      await audit.close();
      throw error;
    }
  }
  throw new Error(`stateDirectory: ${MAX_PROCESSES} processes hold all of its directories`);
}

async function trails(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^\d+$/u.test(name)).map((name) => join(directory, name, 'audit'));
}

async function openUnlessLocked(directory: string, options: StateOptions): Promise<AuditTrail | undefined> {
  try {
    return await openAuditTrail({ directory, ...options.audit, logger: options.logger });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'locked') {
      return undefined;
    }
    throw error;
  }
}
