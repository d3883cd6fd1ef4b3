import { accepted, createErrors, defineTool, form } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import type { Parts } from '../parts.ts';
import { ticketIdSchema, ticketSchema } from '../tickets.ts';

const errors = createErrors({
  unknown_ticket: { when: 'There is no ticket with this id', whatToDo: 'Call list_tickets.' },
  not_confirmed: {
    when: 'The person wants the ticket to stay open',
    whatToDo: 'Leave it as it is, and do not ask again.',
  },
});

/** `close_ticket`: ends a ticket once the person has agreed. */
export const closeTicket = ({ tickets }: Pick<Parts, 'tickets'>) =>
  defineTool({
    name: 'close_ticket',
    title: 'Close ticket',
    description: 'Closes a ticket, once the person has agreed: they are asked by this call.',
    input: z.strictObject({ id: ticketIdSchema }),
    output: ticketSchema,
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: 'tickets:write',
    errors,
    audit: ({ id }) => ({ resource: id, arguments: { id } }),
    async handle({ id }, { ask }) {
      const ticket = tickets.find(id);
      if (ticket === undefined) {
        throw errors.unknown_ticket();
      }
      const question = form(`Close ${id}, "${ticket.title}"?`, z.object({ close: z.boolean() }));
      if (!accepted(await ask(question)).close) {
        throw errors.not_confirmed();
      }
      return tickets.close(id) ?? ticket;
    },
    text: ({ id, state }) => `${id} is ${state}.`,
  });
