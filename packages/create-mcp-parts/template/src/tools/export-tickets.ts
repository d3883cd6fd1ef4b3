import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import type { Parts } from '../parts.ts';

/** `export_tickets`: work that goes on after the answer. The model follows it with `check_export`. */
export const exportTickets = ({ tickets }: Pick<Parts, 'tickets'>) =>
  defineTool({
    name: 'export_tickets',
    title: 'Export tickets',
    description: 'Starts an export of all tickets; follow it with check_export. Returns a line for each ticket.',
    input: z.strictObject({}),
    output: z.object({ lines: z.array(z.string()) }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'tickets:read',
    longRunning: {
      // Tickets are as they were: beginning again does no harm.
      onInterrupted: 'resume',
      title: () => 'Export of all tickets',
      statusTool: { name: 'check_export', title: 'Check export' },
    },
    async handle(_input, { progress, signal }) {
      const all = tickets.list();
      const lines: string[] = [];
      for (const { id, title, state } of all) {
        signal.throwIfAborted();
        lines.push([id, state, title].join('\t'));
        progress(lines.length, all.length, `${id} is written.`);
      }
      return { lines };
    },
    text: ({ lines }) => lines.join('\n') || 'There are no tickets.',
  });
