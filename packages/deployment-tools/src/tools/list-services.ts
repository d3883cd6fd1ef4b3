import { callFor, type Client } from '@mcp-parts/resilient-client';
import { defineTool, quoted } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { READ_PERMISSION } from '../deployment/permissions.ts';
import { searchSchema } from '../deployment/schemas.ts';
import * as endpoints from '../platform/endpoints.ts';

const MAX_SERVICES = 50;

/** `list_services`: the services that can be deployed, from the configuration service. */
export function createListServices({ configuration }: { readonly configuration: Client }) {
  return defineTool({
    name: 'list_services',
    toolset: 'services',
    title: 'List services',
    description: `Lists deployable services with description, owner team and tier (1 = most critical). At most ${MAX_SERVICES}; narrow it with search.`,
    input: z.strictObject({ search: searchSchema.optional() }),
    output: z.object({
      services: z.array(
        z.object({ name: z.string(), description: z.string(), ownerTeam: z.string(), tier: z.number() }),
      ),
      total: z.number().describe('Matches before the cap.'),
      nextStep: z.string().optional(),
    }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: READ_PERMISSION,
    async handle({ search }, context) {
      const { services } = await callFor(context, configuration, endpoints.listServices, {});
      const wanted = (search ?? '').toLowerCase();
      const matches = services.filter(({ name, description }) =>
        `${name}\n${description}`.toLowerCase().includes(wanted),
      );
      const total = matches.length;
      return { services: matches.slice(0, MAX_SERVICES), total, nextStep: nextStepOf(total, search) };
    },
    text({ services, total }, { search }) {
      if (total === 0) {
        return search === undefined ? 'The configuration service lists no services.' : 'No service matches.';
      }
      const cap = total > services.length ? `, the first ${services.length} shown` : '';
      return [
        `${total} services${cap}:`,
        ...services.map(
          ({ name, description, ownerTeam, tier }) =>
            `- ${name} (tier ${tier}, team ${ownerTeam}): ${quoted(description)}`,
        ),
      ].join('\n');
    },
  });
}

function nextStepOf(total: number, search: string | undefined): string | undefined {
  if (total > MAX_SERVICES) {
    return 'Narrow it with search: only the first services are here.';
  }
  if (total > 0) {
    return undefined;
  }
  return search === undefined
    ? 'Tell the person.'
    : 'Call list_services with a shorter search, or without one.';
}
