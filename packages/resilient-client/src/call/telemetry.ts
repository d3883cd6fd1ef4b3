import {
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  ValueType,
  type Attributes,
  type Context,
  type Counter,
  type Histogram,
  type Meter,
  type Observable,
  type ObservableCallback,
  type Span,
  type Tracer,
} from '@opentelemetry/api';

import type { AnyEndpoint } from '../endpoint/define-endpoint.ts';
import type { ClientErrorCode } from '../errors/failure.ts';
import type { Connections } from '../http/wire.ts';
import type { CircuitState } from '../protection/circuit-breaker.ts';
import type { ClientEvent } from './events.ts';

/** What a client shows of itself whenever its metrics are read. */
export interface ClientGauges {
  /** One for each circuit, by the id of its endpoint, or `*`. */
  readonly circuits: () => Iterable<{
    readonly endpoint: string;
    readonly state: CircuitState;
    /** Callers whose calls wait, for a Retry-After or because only theirs fail. */
    readonly heldBack: number;
  }>;
  /** Places in the bulkhead that are taken, and requests that wait for one. */
  readonly bulkhead: () => { readonly active: number; readonly waiting: number; readonly limit: number };
  /** Undefined on a dispatcher that was handed in. */
  readonly connections: () => Connections | undefined;
}

/**
 * Spans and metrics of a client. Spans and `http.client.*` follow OpenTelemetry's HTTP conventions: one span for the
 * logical call, and below it one of kind client, and one duration, for each attempt. What the conventions do not name
 * starts with `mcp_parts.`. Labels are names from declarations and configuration, never a path, an id or free text.
 * Spans need an SDK, metrics a meter: the global one is left to others, so that a program has one instrument.
 * @see https://opentelemetry.io/docs/specs/semconv/http/
 */
export class ClientTelemetry {
  readonly #tracer: Tracer;
  readonly #server: { readonly 'server.address': string; readonly 'server.port': number };
  /** Labels of everything about the upstream. */
  readonly #upstream: Attributes;
  readonly #meter: Meter | undefined;
  readonly #instruments: Instruments | undefined;
  readonly #stops: (() => void)[] = [];

  constructor(options: {
    readonly name: string;
    readonly origin: string;
    readonly meter?: Meter | undefined;
  }) {
    this.#tracer = trace.getTracer(SCOPE);
    this.#meter = options.meter;
    this.#instruments = options.meter && createInstruments(options.meter);
    const { hostname, port, protocol } = new URL(options.origin);
    const defaultPort = protocol === 'https:' ? 443 : 80;
    this.#server = {
      'server.address': hostname,
      'server.port': port === '' ? defaultPort : Number(port),
    };
    this.#upstream = { 'service.peer.name': options.name };
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

  /** Measures one request. */
  recordAttempt(method: string, durationMs: number, result: Attributes): void {
    this.#instruments?.requestDuration.record(durationMs / 1000, {
      ...this.#upstream,
      'http.request.method': method,
      ...this.#server,
      ...result,
    });
  }

  /** Measures what an event tells; requests have {@link recordAttempt}. */
  recordEvent(event: ClientEvent): void {
    if (this.#instruments === undefined) {
      return;
    }
    const { callDuration, retries, retriesDenied, hedges, circuitTransitions } = this.#instruments;
    const labels = { ...this.#upstream, [ENDPOINT]: event.endpoint };
    switch (event.type) {
      case 'attempt':
        return;
      case 'call':
        return callDuration.record(event.durationMs / 1000, withError(labels, event.outcome));
      case 'retry':
        return retries.add(1, { ...labels, 'error.type': event.code });
      case 'retry_denied':
        return retriesDenied.add(1, { ...labels, 'mcp_parts.denied_by': event.by });
      case 'hedge':
        return hedges.add(1, labels);
      case 'circuit':
        return circuitTransitions.add(1, { ...labels, [STATE]: event.to });
      default:
        return event satisfies never;
    }
  }

  /** Shows the client's own state from now on, until {@link close}. */
  observe({ circuits, bulkhead, connections }: ClientGauges): void {
    const meter = this.#meter;
    if (meter === undefined) {
      return;
    }
    const gauge = (name: string, unit: string, description: string, read: ObservableCallback) =>
      this.#watch(meter.createObservableGauge(name, { unit, description, valueType: ValueType.INT }), read);

    gauge(
      'mcp_parts.client.circuit.state',
      '{state}',
      '1 for the state a circuit is in, 0 for the others.',
      (result) => {
        for (const { endpoint, state } of circuits()) {
          for (const known of STATES) {
            result.observe(known === state ? 1 : 0, {
              ...this.#upstream,
              [ENDPOINT]: endpoint,
              [STATE]: known,
            });
          }
        }
      },
    );
    gauge('mcp_parts.client.held_back', '{caller}', 'Callers whose calls are held back.', (result) => {
      for (const { endpoint, heldBack } of circuits()) {
        result.observe(heldBack, { ...this.#upstream, [ENDPOINT]: endpoint });
      }
    });
    gauge(
      'mcp_parts.client.bulkhead.requests',
      '{request}',
      'Requests on the wire, and waiting for a place.',
      (result) => {
        const { active, waiting } = bulkhead();
        result.observe(active, { ...this.#upstream, [STATE]: 'active' });
        result.observe(waiting, { ...this.#upstream, [STATE]: 'waiting' });
      },
    );
    gauge('mcp_parts.client.bulkhead.limit', '{request}', 'Requests that may be on the wire.', (result) =>
      result.observe(bulkhead().limit, this.#upstream),
    );
    this.#watch(
      meter.createObservableUpDownCounter('http.client.open_connections', {
        unit: '{connection}',
        description: 'Connections to upstream services.',
      }),
      (result) => {
        const open = connections();
        if (open !== undefined) {
          const labels = { ...this.#upstream, ...this.#server };
          result.observe(open.active, { ...labels, 'http.connection.state': 'active' });
          result.observe(open.idle, { ...labels, 'http.connection.state': 'idle' });
        }
      },
    );
  }

  /** Lets go of the meter, which may outlive the client. */
  close(): void {
    for (const stop of this.#stops) {
      stop();
    }
  }

  #watch(instrument: Observable, read: ObservableCallback): void {
    instrument.addCallback(read);
    this.#stops.push(() => instrument.removeCallback(read));
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
  startAttempt(
    attempt: number,
    { origin, path: target }: { readonly origin: string; readonly path: string },
    headers: Record<string, string>,
  ): Span | undefined {
    if (this.#context === undefined) {
      return undefined;
    }
    const { method, path } = this.#endpoint;
    // Without the query, which may hold what no trace should.
    const url = origin + target.replace(/\?.*/, '');
    const attributes: Attributes = { 'http.request.method': method, 'url.template': path, 'url.full': url };
    if (attempt > 1) {
      attributes['http.request.resend_count'] = attempt - 1;
    }
    const span = this.#telemetry.startAttempt(`${method} ${path}`, attributes, this.#context);
    propagation.inject(trace.setSpan(this.#context, span), headers);
    return span;
  }

  /** Ends an attempt with the status of its response, or the code of its failure. */
  endAttempt(span: Span | undefined, durationMs: number, outcome: number | ClientErrorCode): void {
    const result = resultAttributes(outcome);
    this.#telemetry.recordAttempt(this.#endpoint.method, durationMs, result);
    if (span === undefined) {
      return;
    }
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

function withError(labels: Attributes, outcome: 'ok' | ClientErrorCode): Attributes {
  return outcome === 'ok' ? labels : { ...labels, 'error.type': outcome };
}

interface Instruments {
  readonly requestDuration: Histogram;
  readonly callDuration: Histogram;
  readonly retries: Counter;
  readonly retriesDenied: Counter;
  readonly hedges: Counter;
  readonly circuitTransitions: Counter;
}

function createInstruments(meter: Meter): Instruments {
  const seconds = (name: string, description: string) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BUCKETS } });
  const count = (name: string, description: string) =>
    meter.createCounter(name, { description, valueType: ValueType.INT });
  return {
    requestDuration: seconds(
      'http.client.request.duration',
      'Duration of HTTP client requests, one per attempt.',
    ),
    callDuration: seconds('mcp_parts.client.call.duration', 'Duration of calls, waits and retries included.'),
    retries: count('mcp_parts.client.retries', 'Requests that were sent again.'),
    retriesDenied: count('mcp_parts.client.retries_denied', 'Safe repeats that were not made.'),
    hedges: count('mcp_parts.client.hedges', 'Second requests beside slow ones.'),
    circuitTransitions: count('mcp_parts.client.circuit.transitions', 'Circuits that changed their state.'),
  };
}

const SCOPE = '@mcp-parts/resilient-client';
const ENDPOINT = 'mcp_parts.endpoint';
const STATE = 'mcp_parts.state';
const STATES: readonly CircuitState[] = ['closed', 'open', 'half_open', 'isolated'];
/** In seconds, as the conventions advise. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
