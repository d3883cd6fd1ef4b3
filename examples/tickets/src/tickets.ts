import { callFor, type Client } from '@mcp-parts/resilient-client';
import { definePrompt, defineResource, defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { endpoints, ticket } from './backend.ts';

const params = z.strictObject({ id: z.string() });
const reads = {
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'tickets:read',
} as const;
const writes = {
  annotations: { ...reads.annotations, readOnly: false },
  permission: 'tickets:write',
} as const;

/** All that a model can do with tickets. */
export function createTickets(backend: Client) {
  const listTickets = defineTool({
    ...reads,
    name: 'list_tickets',
    description: 'Lists the tickets, newest first.',
    input: z.strictObject({}),
    output: z.object({ tickets: z.array(ticket) }),
    handle: (_input, context) => callFor(context, backend, endpoints.list, {}),
  });
  const createTicket = defineTool({
    ...writes,
    name: 'create_ticket',
    description: 'Creates a ticket.',
    input: z.strictObject({ title: z.string().min(3).max(100) }),
    output: ticket,
    handle: (body, context) => callFor(context, backend, endpoints.create, { body }),
  });
  const addComment = defineTool({
    ...writes,
    name: 'add_comment',
    description: 'Adds a comment to a ticket.',
    input: z.strictObject({ id: z.string(), text: z.string().min(1).max(2_000) }),
    output: z.object({ id: z.string() }),
    handle: ({ id, text }, context) =>
      callFor(context, backend, endpoints.comment, { params: { id }, body: { text } }),
  });
  const closeTicket = defineTool({
    ...writes,
    name: 'close_ticket',
    description: 'Closes a ticket, once the person has agreed.',
    annotations: { ...writes.annotations, destructive: true },
    input: params,
    output: ticket,
    async confirm(params, context) {
      const { title } = await callFor(context, backend, endpoints.get, { params });
      return { message: `Close "${title}"?` };
    },
    handle: (params, context) => callFor(context, backend, endpoints.close, { params }),
  });
  const reopenTicket = defineTool({
    ...writes,
    name: 'reopen_ticket',
    description: 'Opens a closed ticket again.',
    input: params,
    output: ticket,
    handle: (params, context) => callFor(context, backend, endpoints.reopen, { params }),
  });
  const ticketResource = defineResource({
    name: 'ticket',
    description: 'One ticket.',
    uriTemplate: 'ticket://{id}',
    parameters: params,
    permission: reads.permission,
    async list(context) {
      const { tickets } = await callFor(context, backend, endpoints.list, {});
      return tickets.map(({ id, title }) => ({ uri: `ticket://${id}`, name: title }));
    },
    read: (params, context) => callFor(context, backend, endpoints.get, { params }),
  });
  const triage = definePrompt({
    name: 'triage',
    description: 'Goes through the open tickets.',
    arguments: z.strictObject({ team: z.string().describe('Whose tickets') }),
    permission: reads.permission,
    render: ({ team }) =>
      `List the tickets, and say which of them the team ${team} should take first, and why.`,
  });
  return {
    tools: [listTickets, createTicket, addComment, closeTicket, reopenTicket],
    resources: [ticketResource],
    prompts: [triage],
  };
}
