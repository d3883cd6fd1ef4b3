// oxlint-disable-next-line no-restricted-imports -- types only: the handler of one request is in undici's terms
import type { Dispatcher } from 'undici';

import { decodeBody } from './content-coding.ts';
import type { Sent, WireHeaders, WireOutcome, WireRequest } from './wire.ts';

/**
 * One request and what comes back, as undici's handler of it. Taking the body's pieces as they come saves the stream,
 * the promises and the abort machinery that `undici.request` builds around the same events: a third of its cost.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Sends a request; never throws for what a network may do. */
  static run(dispatcher: Dispatcher, request: WireRequest): Promise<WireOutcome> {
    return new Promise((resolve) => {
      const exchange = new Exchange(request, resolve);
      if (request.signal.aborted) {
        return exchange.#lose(request.signal.reason);
      }
      request.signal.addEventListener('abort', exchange);
      const { origin, path, method, headers, body } = request;
      try {
        dispatcher.dispatch(
          // undici declares a mutable record and only reads it.
          { origin, path, method, headers: headers as Record<string, string>, body: body ?? null },
          exchange,
        );
      } catch (error) {
        // Ours reports what is wrong to its handler; one that was handed in, such as a MockAgent, may throw it.
        exchange.#lose(error);
      }
    });
  }

  readonly #request: WireRequest;
  readonly #resolve: (outcome: WireOutcome) => void;
  #controller: Dispatcher.DispatchController | undefined;
  /** Whether it got a connected socket: one that was stopped in the queue, or refused by undici or by TLS, did not leave. */
  #hasStarted = false;
  #isDone = false;
  #status: number | undefined;
  #headers: WireHeaders = {};
  #chunks: Buffer[] = [];
  #size = 0;

  private constructor(request: WireRequest, resolve: (outcome: WireOutcome) => void) {
    this.#request = request;
    this.#resolve = resolve;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // undici cannot take a request out of its queue, so one that was stopped there comes by here.
    if (this.#isDone) {
      controller.abort(new Error('stopped before it was sent'));
    } else {
      this.#hasStarted = true;
    }
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: WireHeaders): void {
    // RFC 9110 §15.2: an informational response is not the one.
    if (this.#isDone || status < 200) {
      return;
    }
    this.#status = status;
    this.#headers = headers;
    // The response to a HEAD declares the length of a body it does not have.
    if (this.#request.method === 'HEAD') {
      return;
    }
    if (Number(headers['content-length'] ?? 0) > this.#request.maxResponseBytes) {
      this.#refuse(status);
    }
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isDone || this.#status === undefined) {
      return;
    }
    this.#size += chunk.length;
    if (this.#size > this.#request.maxResponseBytes) {
      this.#refuse(this.#status);
    } else {
      this.#chunks.push(chunk);
    }
  }

  onResponseEnd(): void {
    if (this.#isDone || this.#status === undefined) {
      return;
    }
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks, this.#size);
    const coding = this.#headers['content-encoding'];
    if (coding === undefined || body.length === 0) {
      this.#finish({ kind: 'response', status: this.#status, headers: this.#headers, body });
    } else {
      void this.#decode(this.#status, body, String(coding));
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, cause: Error): void {
    this.#lose(cause);
  }

  /** The request's signal aborted. */
  handleEvent(): void {
    this.#lose(this.#request.signal.reason);
    this.#close();
  }

  async #decode(status: number, body: Buffer, codings: string): Promise<void> {
    const headers = this.#headers;
    const decoded = await decodeBody(body, codings, this.#request.maxResponseBytes);
    switch (decoded.kind) {
      case 'decoded':
        return this.#finish({ kind: 'response', status, headers, body: decoded.body });
      case 'unreadable':
        return this.#finish({ kind: 'response', status, headers, body: EMPTY, unreadable: decoded.error });
      case 'too_large':
        return this.#refuse(status);
      default:
        return decoded satisfies never;
    }
  }

  #refuse(status: number): void {
    this.#finish({ kind: 'too_large', status });
    this.#close();
  }

  #lose(cause: unknown): void {
    if (!this.#hasStarted && isRefusal(cause)) {
      this.#finish({ kind: 'refused', cause });
    } else {
      this.#finish({ kind: 'lost', sent: this.#sent(), cause });
    }
  }

  #sent(): Sent {
    if (this.#status !== undefined) {
      return 'yes';
    }
    return this.#hasStarted ? 'maybe' : 'no';
  }

  #finish(outcome: WireOutcome): void {
    if (this.#isDone) {
      return;
    }
    this.#isDone = true;
    this.#request.signal.removeEventListener('abort', this);
    this.#resolve(outcome);
  }

  /** A response that nobody reads to its end would block its socket for ever. */
  #close(): void {
    this.#controller?.abort(new Error('stopped'));
  }
}

const EMPTY = Buffer.alloc(0);

/** What undici refuses to write, such as a header it keeps for itself. */
function isRefusal(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && REFUSALS.has(String(cause.code));
}

const REFUSALS = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);
