import { checkSinkName, type AuditSink } from '../delivery/sink.ts';
import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';
import { untilAborted } from '../until-aborted.ts';

type Attributes = Record<string, string | number | boolean>;

/** The part of `Logger` of `@opentelemetry/api-logs` that is used; that logger fits. */
export interface OpenTelemetryLogger {
  readonly emit: (record: OpenTelemetryLogRecord) => void;
}

/** What is emitted for one event. */
export interface OpenTelemetryLogRecord {
  readonly eventName: string;
  /** In milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string;
  readonly attributes: Attributes;
}

/** Which logger events are emitted on. */
export interface OpenTelemetrySinkOptions {
  /** From a `LoggerProvider` made for audit events alone, so that other logs cannot crowd them out. */
  readonly logger: OpenTelemetryLogger;
  /** Waits until what was emitted is exported; `() => provider.forceFlush()`. */
  readonly flush: () => Promise<void>;
  /** Names the cursor file. @default 'opentelemetry' */
  readonly name?: string | undefined;
}

/** @throws {TypeError} for an option that is missing or none of its kind */
function resolveOpenTelemetrySinkOptions(
  options: OpenTelemetrySinkOptions,
): Required<OpenTelemetrySinkOptions> & { readonly name: string } {
  const { logger, flush, name = 'opentelemetry' } = options;
  if (typeof logger?.emit !== 'function') {
    throw new TypeError(`logger must have a function emit, got ${typeof logger?.emit}`);
  }
  if (typeof flush !== 'function') {
    throw new TypeError(`flush must be a function, got ${typeof flush}`);
  }
  checkSinkName('name', name);
  return { logger, flush, name };
}

/**
 * Emits events as OpenTelemetry log records. An SDK may drop records it cannot export without telling, so use it
 * beside a sink that acknowledges. `deliver` rejects as `flush` does.
 * @throws {TypeError} for an option that is missing or none of its kind
 */
export function createOpenTelemetrySink(options: OpenTelemetrySinkOptions): AuditSink {
  const { logger, flush, name } = resolveOpenTelemetrySinkOptions(options);
  return {
    name,
    async deliver(events, { signal }) {
      signal.throwIfAborted();
      for (const event of events) {
        logger.emit(toLogRecord(event));
      }
      await untilAborted(flush(), signal);
    },
  };
}

// The numbers of the OpenTelemetry log data model.
const SEVERITY = { INFO: 9, WARN: 13 };

function toLogRecord(event: AuditEvent): OpenTelemetryLogRecord {
  const severityText =
    event.stage === 'outcome' && (event.result === 'denied' || event.result === 'unknown') ? 'WARN' : 'INFO';
  const attributes: Attributes = {
    'mcp.audit.event.id': event.id,
    'mcp.audit.writer.id': event.writerId,
    'mcp.audit.sequence': event.sequence,
    'mcp.audit.stage': event.stage,
    'mcp.audit.action': event.action,
    'mcp.audit.target': event.target,
    'mcp.audit.actor.id': event.actor.id,
    'mcp.audit.correlation.id': event.correlationId,
    ...(event.resource !== undefined && { 'mcp.audit.resource': event.resource }),
    ...(event.stage === 'outcome' && { 'mcp.audit.result': event.result }),
    ...(event.stage === 'outcome' && event.reason !== undefined && { 'mcp.audit.reason': event.reason }),
  };
  return {
    eventName: 'mcp.audit',
    timestamp: Date.parse(event.time),
    severityText,
    severityNumber: SEVERITY[severityText],
    body: safeJson(event),
    attributes,
  };
}
