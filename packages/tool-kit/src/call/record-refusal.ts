import type { JsonObject } from '../json.ts';
import type { AuditIntent, AuditOutcome, AuditTrail, Logger } from '../ports.ts';
import { auditIntentOf, type AuditSubject } from './audit-intent.ts';

/** A call that was refused before it reached the pipeline. */
export interface Refusal extends AuditSubject {
  /** A code, for example `token_expired`. */
  readonly reason: string;
  /** How long the request had been here, in milliseconds. */
  readonly durationMs: number;
}

/** Records a refusal as the pipeline records its own. Never rejects: what cannot be recorded is logged. */
export async function recordRefusal(
  refusal: Refusal,
  { audit, logger }: { readonly audit: Pick<AuditTrail, 'begin' | 'refuse'>; readonly logger: Logger },
): Promise<void> {
  const { reason, durationMs, correlationId } = refusal;
  const outcome = { result: 'denied', reason, durationMs: Math.round(durationMs) } as const;
  try {
    await refuse(audit, auditIntentOf(refusal), outcome);
  } catch (error) {
    logger.error({ err: error, correlationId }, 'denial not recorded');
  }
}

/** Records a call that ended before anything ran, in a trail that may count such calls or stores each. */
export async function refuse(
  audit: Pick<AuditTrail, 'begin' | 'refuse'>,
  intent: AuditIntent,
  outcome: AuditOutcome,
): Promise<void> {
  if (audit.refuse !== undefined) {
    await audit.refuse(intent, outcome);
    return;
  }
  const entry = await audit.begin(intent);
  await entry.finish(outcome);
}

/** What the parameters of a request name: a tool, a prompt, or a resource by its URI. `''` where they name nothing. */
export function targetOf(params: JsonObject): string {
  // A completion names what it completes one level below.
  const { name, uri } = isObject(params['ref']) ? params['ref'] : params;
  const target = name ?? uri;
  return typeof target === 'string' ? target : '';
}

function isObject(value: JsonObject[string]): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
