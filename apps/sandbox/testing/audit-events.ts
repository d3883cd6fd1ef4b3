import { z } from 'zod';

import type { Sandbox } from '../src/index.ts';

const eventSchema = z.looseObject({
  id: z.string(),
  stage: z.enum(['intent', 'outcome']),
  target: z.string(),
  resource: z.string().optional(),
  result: z.string().optional(),
  client: z.object({ name: z.string() }).optional(),
});

/** An event as the collector has it. */
export type CollectedAuditEvent = z.infer<typeof eventSchema>;

/** The events that have reached the collector, in order, narrowed to those that match every given member. */
export function auditOf(
  sandbox: Sandbox,
  wanted: {
    readonly client?: string;
    readonly target?: string;
    readonly resource?: string;
    readonly result?: string;
  },
): CollectedAuditEvent[] {
  const { client, ...members } = wanted;
  return sandbox
    .auditEvents()
    .map((event) => eventSchema.parse(event))
    .filter((event) => client === undefined || event.client?.name === client)
    .filter((event) => Object.entries(members).every(([name, value]) => event[name] === value));
}
