import type { TaskDefinition } from '../src/index.ts';

/** One kind of each policy. Handlers take a few turns of the event loop, so that a kill finds them at any point. */
export const definitions: TaskDefinition[] = (['fail', 'resume'] as const).map((onInterrupted) => ({
  kind: onInterrupted,
  onInterrupted,
  async run(input, { attempt, progress }) {
    for (const percent of [25, 50, 75]) {
      await new Promise((resolve) => setImmediate(resolve));
      progress({ percent, message: `attempt ${attempt}` });
    }
    return { echo: input, attempt };
  },
}));
