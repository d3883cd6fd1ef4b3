import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

/** `delete_word`: one tool with all that this project does for a call, for a server that has other tools already. */
export function createDeleteWord(words: Set<string>) {
  return defineTool({
    name: 'delete_word',
    description: 'Deletes a word from the dictionary.',
    input: z.strictObject({ word: z.string().max(50) }),
    output: z.object({ deleted: z.boolean() }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: 'words:delete',
    audit: ({ word }) => ({ resource: word }),
    handle: async ({ word }) => ({ deleted: words.delete(word) }),
  });
}
