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

/** The intents and outcomes that have reached the collector, in order, narrowed to those that match every given member. */
export function auditOf(
  sandbox: Sandbox,
  wanted: {
    readonly client?: string | undefined;
    readonly target?: string | undefined;
    readonly resource?: string | undefined;
    readonly result?: string | undefined;
  },
): CollectedAuditEvent[] {
  const { client, ...members } = wanted;
  return (
    sandbox
      .auditEvents()
      // A checkpoint vouches for the trail itself and tells of no call.
      .filter(({ stage }) => stage !== 'checkpoint')
      .map((event) => eventSchema.parse(event))
      .filter((event) => client === undefined || event.client?.name === client)
      .filter((event) => Object.entries(members).every(([name, value]) => event[name] === value))
  );
}
