import { definePrompt } from '@mcp-parts/tool-kit';
import { z } from 'zod';

/** `triage`: a piece of work that a person picks. */
export const triage = () =>
  definePrompt({
    name: 'triage',
    description: 'Goes through the open tickets.',
    arguments: z.strictObject({ team: z.string().describe('Whose tickets') }),
    permission: 'tickets:read',
    render: ({ team }) =>
      `List the open tickets, and say which of them the team ${team} should take first, and why.`,
  });
