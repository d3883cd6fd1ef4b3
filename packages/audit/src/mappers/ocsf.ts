import { isIP } from 'node:net';

import type { AuditEvent, AuditOutcomeEvent, JsonObject } from '../event/event.ts';
import { defined } from './defined.ts';

const CLASS_API_ACTIVITY = 6003;
const CATEGORY_APPLICATION = 6;
const SEVERITY_INFORMATIONAL = 1;

/**
 * An event as OCSF 1.6.0 API Activity (class 6003). OCSF has no status for a denial: it is a failure whose
 * `status_detail` is `denied`. An intent has the status `Other`, `Started`. What has no attribute is in `unmapped`.
 */
export function toOcsf(event: AuditEvent): JsonObject {
  const activity = activityOf(event.action);
  const intentId = event.stage === 'outcome' ? event.intentId : event.id;
  return defined({
    metadata: {
      version: '1.6.0',
      product: { name: event.server.name, version: event.server.version, vendor_name: 'mcp-parts' },
      uid: event.id,
      // Ties an outcome to its intent.
      correlation_uid: intentId,
      sequence: event.sequence,
      original_time: event.time,
      log_name: 'mcp.audit',
    },
    category_uid: CATEGORY_APPLICATION,
    class_uid: CLASS_API_ACTIVITY,
    type_uid: CLASS_API_ACTIVITY * 100 + activity.id,
    activity_id: activity.id,
    activity_name: activity.name,
    severity_id: SEVERITY_INFORMATIONAL,
    time: Date.parse(event.time),
    ...countOf(event),
    ...statusOf(event),
    actor: {
      user: {
        uid: event.actor.id,
        name: event.actor.displayName,
        email_addr: event.actor.email,
        type: event.actor.kind,
        groups: event.actor.groups.map((name) => ({ name })),
      },
      app_name: event.client?.name,
    },
    api: {
      operation: event.target,
      service: { name: event.server.name },
      request: { uid: event.correlationId },
    },
    resources: event.resource === undefined ? undefined : [{ name: event.resource }],
    src_endpoint: sourceOf(event),
    unmapped: {
      stage: event.stage,
      action: event.action,
      writer_id: event.writerId,
      schema_version: event.schemaVersion,
      transport: event.transport,
      era: event.era,
      client_version: event.client?.version,
      policy_rule: event.rule,
      directory_age_ms: event.directoryAgeMs,
      trace_id: event.traceId,
      sealed_actor: event.actor.sealed,
      ...(event.stage === 'intent'
        ? {
            arguments: event.arguments,
            argument_names: event.argumentNames,
            argument_digests: event.argumentDigests,
          }
        : {
            upstream_calls: event.upstreamCalls,
            confirmation_id: event.confirmationId,
            refusal_reasons: event.refusals?.reasons,
          }),
      truncated: event.truncated,
    },
  });
}

function countOf(event: AuditEvent): object {
  const refusals = event.stage === 'outcome' ? event.refusals : undefined;
  return refusals === undefined
    ? {}
    : {
        count: refusals.count,
        start_time: Date.parse(refusals.since),
        end_time: Date.parse(refusals.until),
      };
}

// Counted refusals of an IPv6 address are those of its network, which is no address.
function sourceOf({ sourceAddress, transport }: AuditEvent): object {
  return sourceAddress !== undefined && isIP(sourceAddress) !== 0
    ? { ip: sourceAddress }
    : { name: sourceAddress ?? transport };
}

function activityOf(action: string): { id: number; name: string } {
  // Whether a tool reads or changes is not part of its event.
  return action === 'resources/read' || action === 'prompts/get'
    ? { id: 2, name: 'Read' }
    : { id: 99, name: action };
}

function statusOf(event: AuditEvent): object {
  if (event.stage === 'intent') {
    return { status_id: 99, status: 'Started' };
  }
  return {
    ...statusOfResult(event.result),
    status_code: event.reason,
    duration: event.durationMs === undefined ? undefined : Math.round(event.durationMs),
  };
}

function statusOfResult(result: AuditOutcomeEvent['result']): object {
  switch (result) {
    case 'success':
      return { status_id: 1, status: 'Success' };
    case 'failure':
      return { status_id: 2, status: 'Failure' };
    case 'denied':
      return { status_id: 2, status: 'Failure', status_detail: 'denied' };
    case 'unknown':
      return { status_id: 0, status: 'Unknown' };
    default:
      return result satisfies never;
  }
}
