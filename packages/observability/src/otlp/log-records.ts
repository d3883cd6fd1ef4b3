import { ROOT_CONTEXT, trace, type Attributes, type Context } from '@opentelemetry/api';

/** What is emitted for one line, in the words of the OpenTelemetry log data model. */
interface LogRecord {
  readonly timestamp?: Date;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly context: Context;
}

/** The part of an OpenTelemetry logger that is used. */
interface RecordLogger {
  readonly emit: (record: LogRecord) => void;
}

const SEVERITIES: Readonly<Record<string, number>> = { debug: 5, info: 9, warn: 13, error: 17, fatal: 21 };
const INFO = 9;
const SAMPLED = 1;
/** In the record elsewhere, or in its resource. */
const LEFT_OUT = new Set(['level', 'time', 'msg', 'trace_id', 'span_id', 'pid', 'hostname', 'name']);

/** Returns what makes a record of a line that `createLogger` wrote. Never throws: a line is out already. */
export function createLogRecords(logger: RecordLogger): (line: string) => void {
  return (line) => {
    const fields = parse(line);
    const level = textOf(fields['level'], 'info');
    const time = Date.parse(textOf(fields['time'], ''));
    logger.emit({
      ...(Number.isFinite(time) && { timestamp: new Date(time) }),
      severityNumber: SEVERITIES[level] ?? INFO,
      severityText: level.toUpperCase(),
      body: textOf(fields['msg'], ''),
      attributes: attributesOf(fields),
      context: contextOf(fields),
    });
  };
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : { msg: line };
  } catch {
    // Somebody else's line: it is text all the same.
    return { msg: line.trimEnd() };
  }
}

// Attributes of records are flat here; an error keeps the names of the conventions.
function attributesOf(fields: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(fields)) {
    if (LEFT_OUT.has(name) || value === null || value === undefined) {
      continue;
    }
    if (name === 'err' && typeof value === 'object') {
      const error: Readonly<Record<string, unknown>> = { ...value };
      attributes['exception.type'] = textOf(error['type'], 'Error');
      attributes['exception.message'] = textOf(error['message'], '');
      attributes['exception.stacktrace'] = textOf(error['stack'], '');
    } else {
      attributes[name] =
        typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
          ? value
          : JSON.stringify(value);
    }
  }
  return attributes;
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function contextOf(fields: Readonly<Record<string, unknown>>): Context {
  const { trace_id: traceId, span_id: spanId } = fields;
  return typeof traceId === 'string' && typeof spanId === 'string'
    ? trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: SAMPLED })
    : ROOT_CONTEXT;
}
