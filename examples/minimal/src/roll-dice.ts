import { randomInt } from 'node:crypto';

import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

/** `roll_dice`: what a file of a tool looks like. */
export const rollDice = defineTool({
  name: 'roll_dice',
  title: 'Roll dice',
  description: 'Rolls up to ten dice with six sides. Returns what each shows and the sum.',
  input: z.strictObject({ count: z.int().min(1).max(10).default(1) }),
  output: z.object({ dice: z.array(z.int()), sum: z.int() }),
  annotations: { readOnly: true, destructive: false, idempotent: false, openWorld: false },
  permission: 'dice:roll',
  async handle({ count }) {
    const dice = Array.from({ length: count }, () => randomInt(1, 7));
    return { dice, sum: dice.reduce((sum, die) => sum + die, 0) };
  },
  text: ({ dice, sum }) => `The dice show ${dice.join(', ')}: ${sum} in all.`,
});
