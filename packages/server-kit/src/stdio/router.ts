import type { Logger } from '@mcp-parts/tool-kit';

import { isObject } from '../wire/message.ts';
import { eraOf, unsupportedVersion, versionOf, type Era } from './era.ts';
import { createBatch, MAX_BATCH } from './wire/batch.ts';
import {
  openAbsent,
  openLate,
  type ChannelPort,
  type LazyChannel,
  type OpenChannel,
} from './wire/channel.ts';
import type { LineWriter } from './wire/line-writer.ts';
import {
  classify,
  errorResponse,
  invalidRequest,
  readMessage,
  type ErrorResponse,
  type Incoming,
  type Notification,
  type Request,
  type RequestId,
  type Response,
} from './wire/message.ts';
import { createPending, isCall, type Reply } from './wire/pending.ts';

const INTERNAL_ERROR = -32603;
const CANCELLED = 'notifications/cancelled';
/** What a parsed message takes beside its text, roughly. */
const OVERHEAD_BYTES = 512;
/** The one revision with batches; 2025-06-18 took them out. */
const BATCH_VERSION = '2025-03-26';

/** What a router works with. */
export interface RouterOptions {
  /** `undefined` for an era that is not served. */
  readonly channels: Readonly<Record<Era, OpenChannel | undefined>>;
  readonly writer: LineWriter;
  /** How many calls run at once; further ones wait. */
  readonly maxCalls: number;
  readonly logger: Logger;
  /** Fewer bytes wait than before. */
  readonly onRoom: () => void;
  /** A server has closed its side, or could not be made. */
  readonly onClosed: () => void;
}

/** Takes each message of a client to the server of its era, and the answers back. */
export interface Router {
  readonly receive: (line: Buffer) => void;
  /** Starts calls that wait, where the output has room again. */
  readonly resume: () => void;
  readonly reply: Reply;
  /** How many bytes of calls wait for their turn. */
  readonly waitingBytes: () => number;
  /** How many requests have no answer yet. */
  readonly count: () => number;
  /** Called each time that no request is left without an answer. */
  readonly onIdle: (listener: () => void) => void;
  /** Answers every request that has not begun, and each that still comes, with this error. */
  readonly dropWaiting: (error: ErrorResponse['error']) => void;
  /** Answers the others with it, too; subscriptions end with `close`. */
  readonly dropAll: (error: ErrorResponse['error']) => void;
  readonly close: () => Promise<void>;
}

/** Creates the router of one connection. */
export function createRouter(options: RouterOptions): Router {
  const { channels, writer, maxCalls, logger, onRoom, onClosed } = options;
  const pending = createPending();
  /** Requests of our own that wait for the client's answer. */
  const asked = new Map<RequestId, Era>();
  let waiting: { readonly request: Request; readonly reply: Reply; readonly bytes: number }[] = [];
  let waitingBytes = 0;
  let dropped: ErrorResponse['error'] | undefined;
  let isClosing = false;
  let hasInitialized = false;
  let hasUsed2026 = false;
  let initializeId: RequestId | undefined;
  let takesBatches = false;

  const reply: Reply = (answer) => {
    if (answer !== undefined) {
      writer.write(answer);
    }
  };
  const open: Readonly<Record<Era, LazyChannel>> = {
    2025: openLate(channels[2025] ?? openAbsent, portOf('2025'), failed),
    2026: openLate(channels[2026] ?? openAbsent, portOf('2026'), failed),
  };

  function failed(error: unknown): void {
    logger.error({ err: error }, 'the server of an era could not be made');
    onClosed();
  }

  function portOf(era: Era): ChannelPort {
    return {
      send: (message) => send(era, message as Readonly<Record<string, unknown>>),
      closed: () => {
        if (!isClosing) {
          onClosed();
        }
      },
    };
  }

  function send(era: Era, message: Readonly<Record<string, unknown>>): void {
    const id = message['id'] as RequestId | undefined;
    if (!('method' in message)) {
      // Nobody waits for the answer to a request that was cancelled or dropped.
      const entry = id === undefined ? undefined : pending.take(id);
      if (id !== undefined && entry !== undefined) {
        answered(id, message);
        sendAnswer(entry.reply, id, message);
        startWaiting();
      }
      return;
    }
    if (message['method'] === CANCELLED && isObject(message['params'])) {
      // Nobody waits any more for the answer to a request that the server takes back.
      asked.delete(message['params']['requestId'] as RequestId);
    }
    if (id !== undefined) {
      asked.set(id, era);
    } else if (writer.isFull()) {
      // A notification may be lost; memory that fills because nobody reads may not.
      return;
    }
    writer.write(message);
  }

  function sendAnswer(to: Reply, id: RequestId, answer: object): void {
    try {
      to(answer);
    } catch (error) {
      logger.error({ err: error }, 'an answer is not JSON');
      to(errorResponse(id, INTERNAL_ERROR, 'The call failed for an internal reason.'));
    }
  }

  function answered(id: RequestId, { result }: Readonly<Record<string, unknown>>): void {
    if (id === initializeId) {
      initializeId = undefined;
      takesBatches = isObject(result) && result['protocolVersion'] === BATCH_VERSION;
    }
  }

  function take(incoming: Incoming, bytes: number, to: Reply): void {
    switch (incoming.kind) {
      case 'request':
        return takeRequest(incoming.message, bytes, to);
      case 'notification':
        return takeNotification(incoming.message);
      case 'response':
        return takeResponse(incoming.message);
      case 'batch':
        return takeBatch(incoming.members, bytes, to);
      case 'fault':
        return to(incoming.answer);
      case 'ignored':
        return undefined;
      default:
        return incoming satisfies never;
    }
  }

  function takeRequest(request: Request, bytes: number, to: Reply): void {
    const { id, method } = request;
    if (dropped !== undefined) {
      return to(errorResponse(id, dropped.code, dropped.message, dropped.data));
    }
    const refusal = unsupportedVersion(request);
    if (refusal !== undefined) {
      return to(refusal);
    }
    if (isCall(method) && (pending.calls() >= maxCalls || waiting.length > 0)) {
      waiting.push({ request, reply: to, bytes });
      waitingBytes += bytes;
      return undefined;
    }
    return start(request, to);
  }

  function start(request: Request, to: Reply): void {
    const { id, method } = request;
    if (!pending.add(id, method, to)) {
      return to(invalidRequest(id, 'a request with this id is still running.'));
    }
    const era = eraOf(request, { hasInitialized, hasUsed2026 });
    if (method === 'initialize' && era === '2025') {
      hasInitialized = true;
      initializeId = id;
    }
    hasUsed2026 ||= era === '2026' && method !== 'server/discover';
    return open[era].deliver(request);
  }

  function startWaiting(): void {
    while (pending.calls() < maxCalls && !writer.isFull()) {
      const next = waiting.shift();
      if (next === undefined) {
        return;
      }
      waitingBytes -= next.bytes;
      start(next.request, next.reply);
      onRoom();
    }
  }

  function takeNotification(notification: Notification): void {
    if (notification.method === CANCELLED) {
      cancel(notification);
      return;
    }
    const era = eraOf(notification, { hasInitialized, hasUsed2026 });
    if (open[era].isOpen()) {
      open[era].deliver(notification);
    }
  }

  function cancel(notification: Notification): void {
    const id = notification.params?.['requestId'] as RequestId | undefined;
    if (id === undefined || id === initializeId) {
      return;
    }
    const queued = waiting.find(({ request }) => request.id === id);
    if (queued !== undefined) {
      waiting = waiting.filter((entry) => entry !== queued);
      waitingBytes -= queued.bytes;
      queued.reply();
      onRoom();
      return;
    }
    for (const era of ['2025', '2026'] as const) {
      if (open[era].isOpen()) {
        open[era].deliver(notification);
      }
    }
    // A cancelled request has no answer, not even one that is on its way.
    const entry = pending.take(id);
    if (entry !== undefined) {
      entry.reply();
      startWaiting();
    }
  }

  function takeResponse(response: Response): void {
    const era = asked.get(response.id);
    if (era === undefined) {
      logger.debug({}, 'an answer that nobody waits for');
      return;
    }
    asked.delete(response.id);
    open[era].deliver(response);
  }

  function takeBatch(members: readonly unknown[], bytes: number, to: Reply): void {
    if (!takesBatches || members.length === 0 || members.length > MAX_BATCH) {
      const problem = takesBatches
        ? `a batch has from 1 to ${MAX_BATCH} messages.`
        : 'a line must be one message, not a batch.';
      return to(invalidRequest(null, problem));
    }
    const batch = createBatch(to);
    for (const member of members) {
      const incoming = classify(member);
      if (incoming.kind === 'batch') {
        batch.expect()(invalidRequest(null, 'a batch must not hold another.'));
      } else if (incoming.kind === 'request' && incoming.message.method === 'initialize') {
        batch.expect()(invalidRequest(incoming.message.id, '"initialize" must not be part of a batch.'));
      } else if (incoming.kind === 'request' && versionOf(incoming.message) !== undefined) {
        batch.expect()(invalidRequest(incoming.message.id, 'a batch is of the 2025 era.'));
      } else if (incoming.kind === 'request' || incoming.kind === 'fault') {
        take(incoming, Math.ceil(bytes / members.length), batch.expect());
      } else {
        take(incoming, 0, to);
      }
    }
    return batch.seal();
  }

  function dropWaiting(error: ErrorResponse['error']): void {
    dropped = error;
    const unanswered = waiting;
    waiting = [];
    waitingBytes = 0;
    for (const entry of unanswered) {
      drop(entry.request.id, entry.reply, error);
    }
  }

  function drop(id: RequestId, to: Reply | undefined, { code, message, data }: ErrorResponse['error']): void {
    // Nobody who has not read so much yet will read this.
    if (!writer.isFull()) {
      to?.(errorResponse(id, code, message, data));
    }
  }

  return {
    receive(line) {
      const incoming = readMessage(line);
      if (incoming !== undefined) {
        if (incoming.kind === 'fault') {
          logger.warn({ code: incoming.answer.error.code }, 'a line on standard input is no message');
        }
        take(incoming, line.length + OVERHEAD_BYTES, reply);
      }
    },
    resume: startWaiting,
    reply,
    waitingBytes: () => waitingBytes,
    count: () => pending.count() + waiting.length,
    onIdle: (listener) =>
      pending.onIdle(() => {
        if (pending.count() + waiting.length === 0) {
          listener();
        }
      }),
    dropWaiting,
    dropAll(error) {
      dropWaiting(error);
      for (const id of pending.ids()) {
        drop(id, pending.take(id)?.reply, error);
      }
    },
    async close() {
      isClosing = true;
      await Promise.all([open[2025].close(), open[2026].close()]);
    },
  };
}
