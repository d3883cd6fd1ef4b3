import { defineTool, form } from '@mcp-parts/tool-kit';
import { z } from 'zod';

const nameForm = z.object({ name: z.string().min(2) });

/** A tool that tells its client how far it is, and what it thinks of it, and may ask it something. */
export const talkingTool = defineTool({
  name: 'talk',
  description: 'Talks while it works.',
  input: z.strictObject({ steps: z.int().default(0), question: z.string().optional() }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'echo',
  async handle({ steps, question }, { progress, log, ask }) {
    for (let step = 1; step <= steps; step += 1) {
      progress(step, steps, `Step ${step}`);
      log('info', `step ${step} done`);
    }
    if (question === undefined) {
      return 'All done.';
    }
    const answer = await ask(form(question, nameForm));
    return answer.outcome === 'accepted' ? `Hello ${answer.value.name}.` : `It was ${answer.outcome}.`;
  },
});
