import { describe, expect, it } from 'vitest';

import { readSettings } from './settings.ts';
import { taskOptions, taskSettings } from './task-settings.ts';

const read = (environment: Record<string, string>) => taskOptions(readSettings(taskSettings, environment));

describe('the settings of tasks', () => {
  it('are those of the engine when nothing is said', () => {
    expect(read({})).toEqual({
      concurrency: 10,
      maxRunningPerOwner: 5,
      maxQueuedPerOwner: 50,
      maxQueuedMs: 3_600_000,
      leaseMs: 15_000,
      ttlMs: 604_800_000,
    });
  });

  it('become its limits', () => {
    const environment = { TASK_CONCURRENCY: '3', MAX_QUEUED_TASKS: '7', TASK_LEASE_MS: '2000' };
    expect(read(environment)).toMatchObject({ concurrency: 3, maxQueuedPerOwner: 7, leaseMs: 2_000 });
  });

  it('name the variable that is out of its range', () => {
    expect(() => read({ TASK_LEASE_MS: '10' })).toThrow('TASK_LEASE_MS');
  });
});
