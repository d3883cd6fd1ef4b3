import { z } from 'zod';

import type { Call, RequestContext } from '../call/operation.ts';
import type { JsonObject } from '../json.ts';
import type { AuditIntent } from '../ports.ts';

const callerSchema = z.looseObject({
  id: z.string(),
  kind: z.enum(['user', 'service']),
  groups: z.array(z.string()),
  permissions: z.array(z.string()),
});

const storedSchema = z.object({
  method: z.string(),
  target: z.string(),
  arguments: z.json().optional(),
  caller: callerSchema,
  era: z.enum(['2025', '2026']),
  transport: z.enum(['stdio', 'http']),
  client: z.object({ name: z.string(), version: z.string() }).optional(),
  /** What the client can be asked while the task runs. */
  capabilities: z.record(z.string(), z.json()),
  correlationId: z.string(),
  sourceAddress: z.string().optional(),
  /** In milliseconds since the Unix epoch. */
  startedAt: z.number(),
  /** Absent when the intent could not be recorded and the call went on all the same. */
  intent: z.looseObject({}).optional(),
  /** By what its places are known, where the tool has a number of them. */
  runId: z.string().optional(),
  /** Of the person's yes, where the tool takes one. */
  confirmationId: z.string().optional(),
});

/** A call as it is kept with its task: all that its run and its outcome need, in whatever process they are. */
export interface StoredCall extends Omit<z.infer<typeof storedSchema>, 'caller' | 'intent' | 'capabilities'> {
  readonly capabilities: JsonObject;
  readonly caller: RequestContext['caller'];
  readonly intent?: AuditIntent | undefined;
}

/** The call as JSON. The signal and the channel stay behind: they are the request's. */
export function storeCall(
  call: Call,
  { caller, era, transport, client, correlationId, sourceAddress }: RequestContext,
  begun: Pick<StoredCall, 'intent' | 'capabilities' | 'confirmationId' | 'runId'>,
): JsonObject {
  const stored: Omit<StoredCall, 'arguments'> & { readonly arguments: unknown } = {
    method: call.method,
    target: call.target,
    arguments: call.arguments,
    caller,
    era,
    transport,
    client,
    correlationId,
    sourceAddress,
    startedAt: Date.now(),
    ...begun,
  };
  // All of it came as JSON, or is written down as such elsewhere.
  return stored as unknown as JsonObject;
}

/** @throws {z.ZodError} for what {@link storeCall} did not make */
export function readCall(input: JsonObject): StoredCall {
  // What is loose in the schema was written by this package, from its own types.
  return storedSchema.parse(input) as unknown as StoredCall;
}
