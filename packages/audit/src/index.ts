export { openAuditTrail } from './audit-trail.ts';
export type { AuditEntry, AuditTrail } from './audit-trail.ts';
export type { AuditHealth, AuditSinkHealth } from './health/health.ts';
export type { RefusalCounts } from './refusals/refusal-log.ts';
export type { RecentEvents } from './segments/recent-events.ts';
export { createTrailAdoption } from './trail-adoption.ts';
export type { OrphanHealth, TrailAdoption, TrailAdoptionOptions } from './trail-adoption.ts';
export type { AuditTrailOptions } from './trail-options.ts';
export { createAnchorCommand } from './anchors/anchor-command.ts';
export type { AnchorCommandOptions } from './anchors/anchor-command.ts';
export { createAnchorDirectory } from './anchors/anchor-directory.ts';
export type { AnchorKeeper, AnchorOptions } from './anchors/anchor-keeper.ts';
export { auditCheckpointSchema } from './chain/checkpoint.ts';
export type { AuditCheckpoint } from './chain/checkpoint.ts';
export type { AuditSigner } from './chain/signer.ts';
export type { SetTimer } from './clock.ts';
export { createCollectorSink } from './sinks/collector-sink.ts';
export type { CollectorSinkOptions } from './sinks/collector-sink.ts';
export { auditRecordSchema } from './chain/collector-message.ts';
export { AuditError } from './errors.ts';
export type { AuditErrorCode, RefusedRecord } from './errors.ts';
export { auditEventSchema } from './event/event.ts';
export type {
  AuditActor,
  AuditEvent,
  AuditIntent,
  AuditIntentEvent,
  AuditOutcome,
  AuditOutcomeEvent,
  IntentContext,
  JsonObject,
  JsonValue,
  OutcomeContext,
  UpstreamCall,
} from './event/event.ts';
export type { AuditDiskUse } from './disk/disk-share.ts';
export type { AuditFile, AuditFileSystem } from './disk/file-system.ts';
export type { Logger } from './logger.ts';
export { toEcs } from './mappers/ecs.ts';
export { toOcsf } from './mappers/ocsf.ts';
export { createDigest } from './privacy/digest.ts';
export type { Digest } from './privacy/digest.ts';
export { openPersonalKeys } from './privacy/personal-keys.ts';
export type { PersonalData, PersonalKeys } from './privacy/personal-keys.ts';
export { createProtectedTrail } from './privacy/protected-trail.ts';
export type { TaskEnd } from './tasks/open-tasks.ts';
export type { ProtectedAuditTrail, ProtectedTrailOptions } from './privacy/protected-trail.ts';
export type { AuditSink, DeliverOptions } from './delivery/sink.ts';
export { createFileSink } from './sinks/file-sink.ts';
export type { FileSinkOptions } from './sinks/file-sink.ts';
export { createOpenTelemetrySink } from './sinks/open-telemetry-sink.ts';
export type {
  OpenTelemetryLogger,
  OpenTelemetryLogRecord,
  OpenTelemetrySinkOptions,
} from './sinks/open-telemetry-sink.ts';
export { createStreamSink } from './sinks/stream-sink.ts';
export type { StreamSinkOptions } from './sinks/stream-sink.ts';
export { createSyslogSink } from './sinks/syslog-sink.ts';
export type { SyslogSinkOptions } from './sinks/syslog-sink.ts';
export { verifyTrail } from './verify/verify-trail.ts';
export type { TrailFinding, TrailVerification } from './verify/finding.ts';
export type { VerifyTrailOptions } from './verify/verify-trail.ts';
