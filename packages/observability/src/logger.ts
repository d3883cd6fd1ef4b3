import { isSpanContextValid, trace } from '@opentelemetry/api';
import {
  destination as openDestination,
  type DestinationStream,
  type Logger,
  pino,
  stdSerializers,
} from 'pino';

import type { Otlp } from './otlp/open-otlp.ts';
import { redactJsonLine } from './redact.ts';
import { openStderrPipe } from './stderr.ts';

/** How much is logged: the named level and everything more severe. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** The least severe level that is written. @default 'info' */
  readonly level?: LogLevel | undefined;
  /** Name of the program, in every line as `name`. */
  readonly name: string;
  /** Where lines go, one JSON object and `\n` per call. @default stderr; one that nobody reads loses lines, counted, and stops nothing */
  readonly destination?: DestinationStream | undefined;
  /** Also sends each line, from `openOtlp`. @default lines are only written */
  readonly otlp?: Pick<Otlp, 'writeLine'> | undefined;
}

/**
 * Creates a pino logger that writes JSON lines with ISO times to stderr, never to stdout, which belongs to the protocol.
 * Inside a span, a line has its `trace_id` and `span_id`.
 * Secrets are masked by field name at any depth and by shape in every string, messages, stacks and child bindings included.
 */
export function createLogger({
  level = 'info',
  name,
  destination = openStderr(),
  otlp,
}: LoggerOptions): Logger {
  const error = stdSerializers.errWithCause;
  return pino(
    {
      name,
      level,
      timestamp: createIsoTime(),
      mixin: activeTrace,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: error, error, cause: error },
      // The last step before the write, so nothing that pino, a child logger or a serializer adds can pass around it.
      hooks: { streamWrite: withCopy(otlp?.writeLine) },
    },
    destination,
  );
}

/** Masks the secrets of a line, and passes it on as it is written. */
function withCopy(copy: ((line: string) => void) | undefined): (line: string) => string {
  if (copy === undefined) {
    return redactJsonLine;
  }
  return (line) => {
    const safe = redactJsonLine(line);
    copy(safe);
    return safe;
  };
}

/** Lines come in bursts, and a date is dear to write: within one millisecond it is written once. */
function createIsoTime(): () => string {
  let writtenAt = Number.NaN;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== writtenAt) {
      writtenAt = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

function openStderr(): DestinationStream {
  return openStderrPipe() ?? openStderrFile();
}

function openStderrFile(): DestinationStream {
  // Synchronous like process.stderr: a line that was logged before a crash is out.
  const stderr = openDestination({ fd: 2, sync: true });
  // A full disk or a closed terminal behind stderr must not end the process; there is nowhere left to report it.
  stderr.on('error', () => {});
  return stderr;
}

const NO_TRACE = {};

/** The names that OpenTelemetry gives them outside OTLP ("Trace Context in non-OTLP Log Formats"). */
function activeTrace(): object {
  const context = trace.getActiveSpan()?.spanContext();
  return context !== undefined && isSpanContextValid(context)
    ? { trace_id: context.traceId, span_id: context.spanId }
    : NO_TRACE;
}
