import type { RecordedArguments } from '../arguments/argument-privacy.ts';
import type { AuditActor, AuditIntent, Caller } from '../ports.ts';
import { shorten } from './failure/failure.ts';

/** Who asked for what, and on which way: what the trail keeps of every call, whoever ends it. */
export interface AuditSubject {
  /** @default somebody who is not known */
  readonly caller?: Caller | undefined;
  /** The MCP method, or `authenticate` for a request that came no further. */
  readonly action: string;
  /** As the client named it; see `targetOf`. */
  readonly target: string;
  readonly taskId?: string | undefined;
  readonly correlationId: string;
  readonly transport: AuditIntent['transport'];
  readonly era?: AuditIntent['era'];
  readonly client?: AuditIntent['client'];
  readonly sourceAddress?: string | undefined;
  /** The rule of the policy that decided, where one did. */
  readonly rule?: string | undefined;
  /** The trace that was active. */
  readonly traceId?: string | undefined;
}

/** The intent of a call, as every way of ending a call records it. */
export function auditIntentOf(subject: AuditSubject, details: RecordedArguments = {}): AuditIntent {
  const {
    caller,
    action,
    target,
    taskId,
    correlationId,
    transport,
    era,
    client,
    sourceAddress,
    rule,
    traceId,
  } = subject;
  return {
    actor: caller === undefined ? { id: 'anonymous', kind: 'anonymous', groups: [] } : actorOf(caller),
    action,
    target: shorten(target),
    resource: details.resource,
    arguments: details.arguments,
    argumentNames: details.argumentNames,
    argumentDigests: details.argumentDigests,
    taskId,
    correlationId,
    transport,
    era,
    client,
    sourceAddress,
    traceId,
    rule,
    directoryAgeMs: ageOf(caller?.groupsAsOf),
    urgent: details.urgent ?? false,
  };
}

function actorOf({ id, kind, displayName, email, groups }: Caller): AuditActor {
  return { id, kind, displayName, email, groups };
}

function ageOf(asOf: number | undefined): number | undefined {
  // Clocks are set back.
  return asOf === undefined ? undefined : Math.max(0, Date.now() - asOf);
}
