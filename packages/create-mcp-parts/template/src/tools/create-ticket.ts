import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import type { Parts } from '../parts.ts';
import { ticketSchema } from '../tickets.ts';

/** `create_ticket`: reports what is wrong. */
export const createTicket = ({ tickets }: Pick<Parts, 'tickets'>) =>
  defineTool({
    name: 'create_ticket',
    title: 'Create ticket',
    description: 'Creates a ticket for something that is wrong. The title has 3 to 100 characters.',
    input: z.strictObject({ title: z.string().min(3).max(100) }),
    output: ticketSchema,
    annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
    permission: 'tickets:write',
    audit: ({ title }) => ({ arguments: { title } }),
    handle: async ({ title }) => tickets.create(title),
    text: ({ id, title }) => `Created ${id}: ${title}.`,
  });
