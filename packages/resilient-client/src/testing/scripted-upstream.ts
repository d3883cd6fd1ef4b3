// oxlint-disable-next-line no-restricted-imports -- to be passed as one, it must be one of undici's dispatchers
import { Dispatcher } from 'undici';

import { checkWhole } from '../check-number.ts';

/** What a scripted upstream does with one request. */
export type Step = UpstreamAction | ((request: ScriptedRequest) => Step);

/** One thing that an upstream does. */
export type UpstreamAction =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** `never`: the connection stays open without the rest; `reset`: it breaks in the middle. @default `complete` */
      readonly end?: 'complete' | 'never' | 'reset' | undefined;
    }
  | { readonly kind: 'refuse' | 'reset' | 'hang' };

/** A request as it would have gone over the wire. */
export interface ScriptedRequest {
  readonly method: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An upstream without sockets, for tests. */
export interface ScriptedUpstream {
  /** Pass it as `dispatcher` to a client or a token source. */
  readonly dispatcher: Dispatcher;
  /** Every request so far, those that were refused included. */
  readonly requests: readonly ScriptedRequest[];
  /** Replaces what is left of the script. */
  readonly script: (...steps: readonly [Step, ...Step[]]) => void;
}

/** An upstream that takes one step for each request and repeats its last step for ever. */
export function createScriptedUpstream(...steps: readonly [Step, ...Step[]]): ScriptedUpstream {
  const requests: ScriptedRequest[] = [];
  let script: readonly Step[] = steps;
  let position = 0;
  const next = (request: ScriptedRequest): UpstreamAction => {
    requests.push(request);
    let step = script[Math.min(position, script.length - 1)];
    position += 1;
    while (typeof step === 'function') {
      step = step(request);
    }
    return step ?? { kind: 'hang' };
  };
  return {
    dispatcher: new ScriptedDispatcher(next),
    requests,
    script(...steps) {
      script = steps;
      position = 0;
    },
  };
}

/**
 * Responds with a status from 200 to 599 and a JSON body; `undefined` sends an empty one.
 * @throws {RangeError} for another status.
 */
export function reply(status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): Step {
  checkWhole('status', status, 200, 599);
  return {
    kind: 'reply',
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

/** Responds with 200 and JSON that is cut off, and ends the response properly: a broken contract, not a broken connection. */
export function malformed(): Step {
  return { kind: 'reply', status: 200, headers: { 'content-type': 'application/json' }, body: '{"id":' };
}

/** Refuses the connection: nothing is sent. */
export function refuse(): Step {
  return { kind: 'refuse' };
}

/** Breaks the connection after the request was read: nobody knows whether it was carried out. */
export function reset(): Step {
  return { kind: 'reset' };
}

/** Breaks the connection in the middle of the response's body. */
export function cutOff(): Step {
  return { kind: 'reply', status: 200, headers: {}, body: '{"id":', end: 'reset' };
}

/** Takes the request and never responds, until the client gives up. */
export function hang(): Step {
  return { kind: 'hang' };
}

/** Begins a response and never ends it, until the client gives up. */
export function drip(): Step {
  return { kind: 'reply', status: 200, headers: {}, body: '{', end: 'never' };
}

class ScriptedDispatcher extends Dispatcher {
  readonly #next: (request: ScriptedRequest) => UpstreamAction;

  constructor(next: (request: ScriptedRequest) => UpstreamAction) {
    super();
    this.#next = next;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const step = this.#next({
      method: options.method,
      origin: String(options.origin),
      path: options.path,
      // The client always sends a plain record.
      headers: { ...(options.headers as Record<string, string> | undefined) },
      body: typeof options.body === 'string' ? options.body : '',
    });
    // As over a socket, nothing comes back before the caller has been told that the request was taken.
    queueMicrotask(() => play(step, handler));
    return true;
  }
}

function play(step: UpstreamAction, handler: Dispatcher.DispatchHandler): void {
  let reason: Error | null = null;
  let isOver = false;
  const fail = (error: Error) => {
    if (isOver) {
      return;
    }
    isOver = true;
    reason = error;
    handler.onResponseError?.(controller, error);
  };
  const controller: Dispatcher.DispatchController = {
    get aborted() {
      return reason !== null;
    },
    get paused() {
      return false;
    },
    get reason() {
      return reason;
    },
    abort: fail,
    pause() {},
    resume() {},
  };

  if (step.kind === 'refuse') {
    return fail(socketError('ECONNREFUSED', 'connect'));
  }
  handler.onRequestStart?.(controller, {});
  if (step.kind !== 'reply') {
    if (step.kind === 'reset') {
      fail(socketError('ECONNRESET', 'read'));
    }
    return;
  }
  handler.onResponseStart?.(controller, step.status, { ...step.headers });
  // A handler may give up after any of these, for example when the response is too large.
  if (!isOver && step.body !== '') {
    handler.onResponseData?.(controller, Buffer.from(step.body));
  }
  if (step.end === 'never') {
    return;
  }
  if (step.end === 'reset') {
    return fail(socketError('ECONNRESET', 'read'));
  }
  if (isOver) {
    return;
  }
  isOver = true;
  handler.onResponseEnd?.(controller, {});
}

function socketError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}
