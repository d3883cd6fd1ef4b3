import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

/** A tool that tells its client how far it is, and what it thinks of it. */
export const talkingTool = defineTool({
  name: 'talk',
  description: 'Talks while it works.',
  input: z.strictObject({ steps: z.int() }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'echo',
  handle({ steps }, { progress, log }) {
    for (let step = 1; step <= steps; step += 1) {
      progress(step, steps, `Step ${step}`);
      log('info', `step ${step} done`);
    }
    return Promise.resolve('All done.');
  },
});
