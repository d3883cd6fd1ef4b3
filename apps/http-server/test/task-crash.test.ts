import { expect, it } from 'vitest';

import { runTaskChaos } from './task-chaos.ts';

it(
  'a server that is killed 20 times while deployments run deploys each once, records each once, and tells the truth',
  { timeout: 400_000 },
  async () => {
    const { kills, acknowledged, deployments, endings, ...faults } = await runTaskChaos(20);
    expect(kills).toBe(20);
    expect(faults).toEqual({
      lostTasks: [],
      repeatedDeployments: [],
      untrueTasks: [],
      brokenCalls: [],
      findings: [],
    });
    // The kills came while something was going on.
    expect(acknowledged).toBeGreaterThan(0);
    expect(deployments).toBeGreaterThan(0);
    expect(endings['success']).toBeGreaterThan(0);
  },
);
