import type { AuditIntent, AuditOutcome, AuditTrail } from '@mcp-parts/tool-kit';

/** One call as the trail knows it; without an outcome while it runs. */
export interface RecordedCall {
  readonly intent: AuditIntent;
  readonly outcome: AuditOutcome | undefined;
}

/** An audit trail in memory, and what it holds, in the order in which the calls began. */
export interface RecordingAudit extends AuditTrail {
  readonly calls: readonly RecordedCall[];
}

/** Creates an empty trail. */
export function recordingAudit(): RecordingAudit {
  const calls: { readonly intent: AuditIntent; outcome: AuditOutcome | undefined }[] = [];
  return {
    calls,
    begin(intent) {
      const call: (typeof calls)[number] = { intent, outcome: undefined };
      calls.push(call);
      return Promise.resolve({
        finish(outcome) {
          call.outcome = outcome;
          return Promise.resolve();
        },
      });
    },
  };
}
