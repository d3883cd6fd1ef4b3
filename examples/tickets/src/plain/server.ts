import { acceptedContent, inputRequired, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';

import { backend } from './backend.ts';

const ticket = z.object({ id: z.string(), title: z.string(), state: z.enum(['open', 'closed']) });
const readOnly = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
const writing = { ...readOnly, readOnlyHint: false };

async function answer(work: Promise<Record<string, unknown>>) {
  const structuredContent = await work;
  return { content: [{ type: 'text' as const, text: JSON.stringify(structuredContent) }], structuredContent };
}

export function createServer(): McpServer {
  const server = new McpServer({ name: 'tickets', version: '1.0.0' });
  server.registerTool(
    'list_tickets',
    {
      description: 'Lists the tickets, newest first.',
      inputSchema: z.strictObject({}),
      outputSchema: z.object({ tickets: z.array(ticket) }),
      annotations: readOnly,
    },
    () => answer(backend.list()),
  );
  server.registerTool(
    'create_ticket',
    {
      description: 'Creates a ticket.',
      inputSchema: z.strictObject({ title: z.string().min(3).max(100) }),
      outputSchema: ticket,
      annotations: writing,
    },
    ({ title }) => answer(backend.create(title)),
  );
  server.registerTool(
    'add_comment',
    {
      description: 'Adds a comment to a ticket.',
      inputSchema: z.strictObject({ id: z.string(), text: z.string().min(1).max(2_000) }),
      outputSchema: z.object({ id: z.string() }),
      annotations: writing,
    },
    ({ id, text }) => answer(backend.comment(id, text)),
  );
  server.registerTool(
    'close_ticket',
    {
      description: 'Closes a ticket, once the person has agreed.',
      inputSchema: z.strictObject({ id: z.string() }),
      outputSchema: ticket,
      annotations: { ...writing, destructiveHint: true },
    },
    async ({ id }, context) => {
      const confirmed = acceptedContent<{ close: boolean }>(context.mcpReq.inputResponses, 'close');
      if (confirmed === undefined) {
        const { title } = await backend.get(id);
        return inputRequired({
          inputRequests: {
            close: inputRequired.elicit({
              message: `Close "${title}"?`,
              requestedSchema: {
                type: 'object',
                properties: { close: { type: 'boolean' } },
                required: ['close'],
              },
            }),
          },
        });
      }
      if (!confirmed.close) {
        const text = 'The person wants to keep the ticket open. Leave it as it is.';
        return { content: [{ type: 'text', text }], isError: true };
      }
      return answer(backend.close(id));
    },
  );
  server.registerTool(
    'reopen_ticket',
    {
      description: 'Opens a closed ticket again.',
      inputSchema: z.strictObject({ id: z.string() }),
      outputSchema: ticket,
      annotations: writing,
    },
    ({ id }) => answer(backend.reopen(id)),
  );
  server.registerResource(
    'ticket',
    new ResourceTemplate('ticket://{id}', {
      list: async () => {
        const { tickets } = await backend.list();
        return { resources: tickets.map(({ id, title }) => ({ uri: `ticket://${id}`, name: title })) };
      },
    }),
    { description: 'One ticket.', mimeType: 'application/json' },
    async (uri, { id }) => ({
      contents: [
        { uri: uri.href, mimeType: 'application/json', text: JSON.stringify(await backend.get(String(id))) },
      ],
    }),
  );
  server.registerPrompt(
    'triage',
    {
      description: 'Goes through the open tickets.',
      argsSchema: z.object({ team: z.string().describe('Whose tickets') }),
    },
    ({ team }) => {
      const text = `List the tickets, and say which of them the team ${team} should take first, and why.`;
      return { messages: [{ role: 'user', content: { type: 'text', text } }] };
    },
  );
  return server;
}
