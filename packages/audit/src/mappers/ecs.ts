import { isIP } from 'node:net';

import type { AuditEvent, AuditOutcomeEvent, JsonObject } from '../event/event.ts';
import { defined } from './defined.ts';

const NANOSECONDS_PER_MILLISECOND = 1e6;

/**
 * An event in the Elastic Common Schema 8.17. ECS has no outcome for a denial: it is a failure of the type
 * `denied`. An intent has the outcome `unknown`, as ECS asks for a request without its response. What ECS has no
 * field for is in `mcp.audit`.
 */
export function toEcs(event: AuditEvent): JsonObject {
  const address = event.sourceAddress;
  return defined({
    '@timestamp': event.time,
    ecs: { version: '8.17.0' },
    event: {
      id: event.id,
      kind: 'event',
      category: ['api'],
      type: typesOf(event),
      action: event.action,
      dataset: 'mcp.audit',
      sequence: event.sequence,
      ...outcomeOf(event),
    },
    user: {
      id: event.actor.id,
      full_name: event.actor.displayName,
      email: event.actor.email,
    },
    service: { name: event.server.name, version: event.server.version },
    source: address === undefined ? undefined : { address, ip: isIP(address) === 0 ? undefined : address },
    trace: event.traceId === undefined ? undefined : { id: event.traceId },
    rule: event.rule === undefined ? undefined : { id: event.rule },
    mcp: {
      audit: {
        stage: event.stage,
        target: event.target,
        resource: event.resource,
        result: event.stage === 'outcome' ? event.result : undefined,
        correlation_id: event.correlationId,
        intent_id: event.stage === 'outcome' ? event.intentId : event.id,
        writer_id: event.writerId,
        schema_version: event.schemaVersion,
        actor: { kind: event.actor.kind, groups: event.actor.groups, sealed: event.actor.sealed },
        transport: event.transport,
        era: event.era,
        client: event.client && { name: event.client.name, version: event.client.version },
        directory_age_ms: event.directoryAgeMs,
        ...(event.stage === 'intent'
          ? {
              // As text: every tool has other arguments, and an index would get a field for each.
              arguments: event.arguments && JSON.stringify(event.arguments),
              argument_names: event.argumentNames,
              argument_digests: event.argumentDigests && JSON.stringify(event.argumentDigests),
            }
          : {
              upstream_calls: event.upstreamCalls,
              confirmation_id: event.confirmationId,
              refusals: refusalsOf(event),
            }),
        truncated: event.truncated,
      },
    },
  });
}

function refusalsOf({ refusals }: AuditOutcomeEvent): object | undefined {
  // As text, like all names that an index would get a field for.
  return refusals && { ...refusals, reasons: JSON.stringify(refusals.reasons) };
}

function typesOf(event: AuditEvent): string[] {
  if (event.stage === 'intent') {
    return ['start'];
  }
  return event.result === 'denied' ? ['end', 'denied'] : ['end'];
}

function outcomeOf(event: AuditEvent): object {
  if (event.stage === 'intent') {
    return { outcome: 'unknown' };
  }
  return {
    outcome: event.result === 'denied' ? 'failure' : event.result,
    reason: event.reason,
    duration:
      event.durationMs === undefined ? undefined : Math.round(event.durationMs * NANOSECONDS_PER_MILLISECOND),
  };
}
