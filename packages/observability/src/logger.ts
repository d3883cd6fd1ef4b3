import { hostname } from 'node:os';

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
import { isSuspect } from './secret-shapes.ts';
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
  const base = { pid: process.pid, hostname: hostname(), name };
  // As pino writes them, behind level and time, in every line.
  const head = `,${JSON.stringify(base).slice(1, -1)}`;
  const headLength = isSuspect(head) ? 0 : head.length;
  return pino(
    {
      base,
      level,
      timestamp: createIsoTime(),
      mixin: activeTrace,
      // Not pino's own, which writes a line's fields into what the mixin returned, for the next line to have them too.
      mixinMergeStrategy: (fields: object, traced: object) =>
        traced === NO_TRACE ? fields : { ...traced, ...fields },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: readableError, error: readableError, cause: readableError },
      // The last step before the write, so nothing that pino, a child logger or a serializer adds can pass around it.
      hooks: {
        streamWrite(line) {
          // Level and time are ours, too, and at most so long.
          const at = headLength === 0 ? -1 : line.indexOf(head);
          const safe = redactJsonLine(line, at > 0 && at <= MAX_LEVEL_AND_TIME ? at + headLength : 0);
          otlp?.writeLine?.(safe);
          return safe;
        },
      },
    },
    destination,
  );
}

/** An error may quote a whole document, in its message and again in its stack. */
const MAX_ERROR_TEXT = 16_384;
const MAX_CAUSES = 20;

/** An error as pino writes it, with its causes: of a long text its beginning, and a word where it cannot be read at all. */
function readableError(error: Error): object {
  try {
    const serialized = stdSerializers.errWithCause(error);
    shortenTexts(serialized, MAX_CAUSES);
    return serialized;
  } catch {
    return { type: 'unreadable', message: 'an error whose members cannot be read' };
  }
}

function shortenTexts(fields: Record<string, unknown>, depth: number): void {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' && value.length > MAX_ERROR_TEXT) {
      fields[name] = `${value.slice(0, MAX_ERROR_TEXT)}… (${value.length - MAX_ERROR_TEXT} more characters)`;
    } else if (name === 'cause' && typeof value === 'object' && value !== null && depth > 0) {
      // What pino has made of it.
      shortenTexts(value as Record<string, unknown>, depth - 1);
    }
  }
}

/** `{"level":"silent","time":"2026-01-05T09:30:00.000Z"` and some more. */
const MAX_LEVEL_AND_TIME = 80;

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

const NO_TRACE = Object.freeze({});

/** The names that OpenTelemetry gives them outside OTLP ("Trace Context in non-OTLP Log Formats"). */
function activeTrace(): object {
  const context = trace.getActiveSpan()?.spanContext();
  return context !== undefined && isSpanContextValid(context)
    ? { trace_id: context.traceId, span_id: context.spanId }
    : NO_TRACE;
}
