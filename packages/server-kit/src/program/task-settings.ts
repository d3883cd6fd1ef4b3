import { resolveTaskLimits, type TaskLimits } from '@mcp-parts/tasks';

import { numberSetting } from './kinds/number-setting.ts';
import type { Settings, SettingValues } from './settings.ts';

/** The settings of a server with long-running tools; spread them into your own, and hand them on with `taskOptions`. */
export const taskSettings = {
  TASK_CONCURRENCY: {
    description: 'Maximum number of tasks that run at once in this process',
    schema: numberSetting((concurrency) => resolveTaskLimits({ concurrency }).concurrency),
  },
  MAX_RUNNING_TASKS: {
    description: 'Maximum number of tasks of one caller that run at once, on all replicas together',
    schema: numberSetting(
      (maxRunningPerOwner) => resolveTaskLimits({ maxRunningPerOwner }).maxRunningPerOwner,
    ),
  },
  MAX_QUEUED_TASKS: {
    description: 'Maximum number of tasks of one caller that wait; a further one is refused',
    schema: numberSetting((maxQueuedPerOwner) => resolveTaskLimits({ maxQueuedPerOwner }).maxQueuedPerOwner),
  },
  TASK_QUEUE_MS: {
    description: 'Milliseconds that a task may wait for its first run, before it has failed',
    schema: numberSetting((maxQueuedMs) => resolveTaskLimits({ maxQueuedMs }).maxQueuedMs),
  },
  TASK_LEASE_MS: {
    description: 'Milliseconds for which nothing is heard of a replica until others take its tasks over',
    schema: numberSetting((leaseMs) => resolveTaskLimits({ leaseMs }).leaseMs),
  },
  TASK_TTL_MS: {
    description: 'Milliseconds for which a task is kept that has ended',
    schema: numberSetting((ttlMs) => resolveTaskLimits({ ttlMs }).ttlMs),
  },
} satisfies Settings;

/** What they ask for, as `tasks` of `assembleServer`. */
export function taskOptions(config: SettingValues<typeof taskSettings>): TaskLimits {
  return {
    concurrency: config.TASK_CONCURRENCY,
    maxRunningPerOwner: config.MAX_RUNNING_TASKS,
    maxQueuedPerOwner: config.MAX_QUEUED_TASKS,
    maxQueuedMs: config.TASK_QUEUE_MS,
    leaseMs: config.TASK_LEASE_MS,
    ttlMs: config.TASK_TTL_MS,
  };
}
