import type { Parts } from './parts.ts';
import { triage } from './prompts/triage.ts';
import { ticket } from './resources/ticket.ts';
import { closeTicket } from './tools/close-ticket.ts';
import { createTicket } from './tools/create-ticket.ts';
// <tasks>
import { exportTickets } from './tools/export-tickets.ts';
// </tasks>
import { listTickets } from './tools/list-tickets.ts';

/** All that a model can do and read. */
export function createDefinitions(parts: Parts) {
  return {
    tools: [
      listTickets(parts),
      createTicket(parts),
      closeTicket(parts),
      // <tasks>
      exportTickets(parts),
      // </tasks>
    ],
    resources: [ticket(parts)],
    prompts: [triage()],
  };
}
