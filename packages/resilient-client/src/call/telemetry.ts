import {
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';

import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import type { ClientErrorCode } from '../errors/failure.ts';

/**
 * Spans of a client by OpenTelemetry's HTTP conventions: one for the logical call, and below it one of kind client for
 * each attempt. Without an SDK they do nothing. What a metric needs is in the client's events, so that a program has
 * one instrument and not two.
 * @see https://opentelemetry.io/docs/specs/semconv/http/
 */
export class ClientTelemetry {
  readonly #tracer: Tracer;
  readonly #server: { readonly 'server.address': string; readonly 'server.port': number };

  constructor(origin: string) {
    this.#tracer = trace.getTracer(SCOPE);
    const { hostname, port, protocol } = new URL(origin);
    const defaultPort = protocol === 'https:' ? 443 : 80;
    this.#server = {
      'server.address': hostname,
      'server.port': port === '' ? defaultPort : Number(port),
    };
  }

  /** Begins the span of a logical call, below whatever is active. */
  startCall(endpoint: AnyEndpoint): CallTrace {
    const parent = context.active();
    const span = this.#tracer.startSpan(endpoint.id, { kind: SpanKind.INTERNAL }, parent);
    // Without an SDK there is nothing to hand on, and a context costs more than the rest of this.
    const isTraced = isSpanContextValid(span.spanContext());
    return new CallTrace(this, endpoint, span, isTraced ? trace.setSpan(parent, span) : undefined);
  }

  startAttempt(name: string, attributes: Attributes, parent: Context): Span {
    const all = { ...attributes, ...this.#server };
    return this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: all }, parent);
  }
}

/** What is known about one call. */
export class CallTrace {
  readonly #telemetry: ClientTelemetry;
  readonly #endpoint: AnyEndpoint;
  readonly #span: Span;
  /** Holds the call's span; undefined when nothing is traced. */
  readonly #context: Context | undefined;

  constructor(telemetry: ClientTelemetry, endpoint: AnyEndpoint, span: Span, own: Context | undefined) {
    this.#telemetry = telemetry;
    this.#endpoint = endpoint;
    this.#span = span;
    this.#context = own;
  }

  /** Begins the span of an attempt and puts it into the headers, so that the upstream's spans hang below it. */
  startAttempt(attempt: number, url: string, headers: Record<string, string>): Span | undefined {
    if (this.#context === undefined) {
      return undefined;
    }
    const { method, path } = this.#endpoint;
    const attributes: Attributes = { 'http.request.method': method, 'url.template': path, 'url.full': url };
    if (attempt > 1) {
      attributes['http.request.resend_count'] = attempt - 1;
    }
    const span = this.#telemetry.startAttempt(`${method} ${path}`, attributes, this.#context);
    propagation.inject(trace.setSpan(this.#context, span), headers);
    return span;
  }

  /** Ends an attempt with the status of its response, or the code of its failure. */
  endAttempt(span: Span | undefined, outcome: number | ClientErrorCode): void {
    if (span === undefined) {
      return;
    }
    const result = resultAttributes(outcome);
    span.setAttributes(result);
    if (result['error.type'] !== undefined) {
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }

  end(outcome: 'ok' | ClientErrorCode): void {
    if (this.#context === undefined) {
      return;
    }
    if (outcome !== 'ok') {
      this.#span.setAttribute('error.type', outcome);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

function resultAttributes(outcome: number | ClientErrorCode): Attributes {
  if (typeof outcome === 'string') {
    return { 'error.type': outcome };
  }
  if (outcome < 400) {
    return { 'http.response.status_code': outcome };
  }
  return { 'http.response.status_code': outcome, 'error.type': String(outcome) };
}

const SCOPE = '@mcp-parts/resilient-client';
