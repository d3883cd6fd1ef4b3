import { z } from 'zod';

/** What every contender offers: one tool that echoes, one of 1 KB with an output schema, and 20 that are only listed. */
export const TOOL_COUNT = 22;

export const echo = {
  name: 'echo',
  title: 'Echo',
  description: 'Returns the message as it is.',
  input: z.strictObject({ message: z.string().max(1_000) }),
};

export const record = {
  name: 'read_record',
  title: 'Read a record',
  description: 'Reads one record of 1 KB by its id.',
  input: z.strictObject({ id: z.string().max(64) }),
  output: z.object({
    id: z.string(),
    name: z.string(),
    version: z.number(),
    tags: z.array(z.string()),
    padding: z.string(),
  }),
};

export const dummies = Array.from({ length: TOOL_COUNT - 2 }, (_, index) => ({
  name: `list_things_${index}`,
  title: `List things of kind ${index}`,
  description: `Lists things of kind ${index}, the newest first. At most 100; ask for the next page with the cursor.`,
  input: z.strictObject({
    service: z.string().max(64).describe('Name of the service'),
    environment: z.enum(['development', 'staging', 'production']).describe('Where it runs'),
    limit: z.int().min(1).max(100).default(20).describe('How many at most'),
    cursor: z.string().max(256).optional().describe('From the page before'),
  }),
}));

/** One kilobyte of JSON. */
export function recordOf(id: string): z.infer<typeof record.output> {
  const known = { id, name: 'a record', version: 7, tags: ['a', 'b', 'c'], padding: '' };
  return { ...known, padding: 'x'.repeat(1_024 - Buffer.byteLength(JSON.stringify(known))) };
}
