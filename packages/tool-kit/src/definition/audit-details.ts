import type { JsonObject } from '../json.ts';

/** What a call leaves in the audit trail besides who, when and the outcome. */
export interface AuditDetails {
  /** What is acted on, for example `payment-service/production`. */
  readonly resource?: string | undefined;
  /** The arguments that may be written down in clear; of the others the trail keeps names and keyed digests. */
  readonly arguments?: JsonObject | undefined;
  /** Ship to the collector at once. @default false */
  readonly urgent?: boolean | undefined;
}
