import { z } from 'zod';

/** What everybody calls a ticket by. */
export const ticketIdSchema = z.string().regex(/^T-\d{1,9}$/u, 'must be like T-1');

/** A ticket, as tools and resources show it. */
export const ticketSchema = z.object({
  id: ticketIdSchema,
  title: z.string(),
  state: z.enum(['open', 'closed']),
});

type Ticket = z.infer<typeof ticketSchema>;

/** Where the tickets are. */
export interface Tickets {
  readonly list: () => readonly Ticket[];
  readonly find: (id: string) => Ticket | undefined;
  readonly create: (title: string) => Ticket;
  /** `undefined` when there is no such ticket. */
  readonly close: (id: string) => Ticket | undefined;
}

/** Tickets that end with the process: replace them by a backend of yours. */
export function createTickets(titles: readonly string[] = ['The lift is stuck', 'No coffee']): Tickets {
  const tickets = new Map<string, Ticket>();
  const put = (ticket: Ticket): Ticket => {
    tickets.set(ticket.id, ticket);
    return ticket;
  };
  const create = (title: string): Ticket => put({ id: `T-${tickets.size + 1}`, title, state: 'open' });
  for (const title of titles) {
    create(title);
  }
  return {
    list: () => [...tickets.values()],
    find: (id) => tickets.get(id),
    create,
    close(id) {
      const ticket = tickets.get(id);
      return ticket && put({ ...ticket, state: 'closed' });
    },
  };
}
