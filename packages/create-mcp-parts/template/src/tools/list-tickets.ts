import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import type { Parts } from '../parts.ts';
import { ticketSchema } from '../tickets.ts';

/** `list_tickets`: what there is to do. */
export const listTickets = ({ tickets }: Pick<Parts, 'tickets'>) =>
  defineTool({
    name: 'list_tickets',
    title: 'List tickets',
    description: 'Lists tickets, oldest first. Say a state to see only those.',
    input: z.strictObject({ state: z.enum(['open', 'closed']).optional() }),
    output: z.object({ tickets: z.array(ticketSchema) }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'tickets:read',
    handle: async ({ state }) => ({
      tickets: tickets.list().filter((ticket) => state === undefined || ticket.state === state),
    }),
    text: ({ tickets }) =>
      tickets.map(({ id, title, state }) => `${id} (${state}): ${title}`).join('\n') || 'There are none.',
  });
