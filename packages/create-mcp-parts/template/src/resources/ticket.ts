import { defineResource } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import type { Parts } from '../parts.ts';
import { ticketIdSchema } from '../tickets.ts';

/** `ticket://{id}`: one ticket, for a person to attach to a conversation. */
export const ticket = ({ tickets }: Pick<Parts, 'tickets'>) =>
  defineResource({
    name: 'ticket',
    description: 'One ticket.',
    uriTemplate: 'ticket://{id}',
    parameters: z.strictObject({ id: ticketIdSchema }),
    permission: 'tickets:read',
    list: async () => tickets.list().map(({ id, title }) => ({ uri: `ticket://${id}`, name: title })),
    read: async ({ id }) => tickets.find(id),
  });
