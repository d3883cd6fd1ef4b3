import { randomBytes } from 'node:crypto';

import type { EventStream } from '../wire/event-stream.ts';
import { openEventStream } from '../wire/event-stream.ts';
import type { Exchange } from '../wire/exchange.ts';
import type { AnswerChannel } from '../wire/pending-answer.ts';

/** How much of what was sent is kept for clients that lose a stream. */
export interface EventBudget {
  /** Bytes that all sessions together hold. */
  used: number;
  readonly max: number;
}

/** What one session keeps for a client that lost a stream, in bytes. */
const MAX_SESSION_BYTES = 256 * 1024;
/** How long a stream that has ended can still be asked for. */
const KEEP_ENDED_MS = 60_000;
/** How long a client waits before it opens a lost stream again. */
const RETRY_MS = 1_000;

/** A random part that ids of other processes do not have, the stream, and the event in it. */
const EVENT_ID = /^(?<owner>[\da-f]+)_(?<number>[1-9]\d*)_(?<event>[1-9]\d*)$/u;

interface KeptEvent {
  readonly number: number;
  readonly data: string;
}

interface Stream {
  readonly number: number;
  lastEvent: number;
  events: KeptEvent[];
  attached: EventStream | undefined;
  endedAt: number | undefined;
}

/** The streams of one session, which a client can go on with after a lost connection. */
export interface SessionStreams {
  /** Opens the stream of one answer. `isPrimed`: it begins with an event that only marks its place. */
  readonly openAnswer: (exchange: Exchange, isPrimed: boolean) => AnswerChannel;
  /** Opens the stream that belongs to no request; `undefined` when it is open already. */
  readonly openStandalone: (exchange: Exchange, isPrimed: boolean) => EventStream | undefined;
  /** Sends on the standalone stream; `false` when there is none. */
  readonly sendStandalone: (data: string) => boolean;
  /** Goes on with a stream after an event; `undefined` when that is no longer kept. */
  readonly resume: (exchange: Exchange, lastEventId: string) => EventStream | undefined;
  /** Forgets streams that ended long ago. */
  readonly sweep: (now: number) => void;
  readonly close: () => void;
}

/** Makes them; what they keep counts against the budget. */
export function createSessionStreams(budget: EventBudget, now: () => number): SessionStreams {
  const streams = new Map<number, Stream>();
  // Ids of another process for the same session must find nothing here. Not base64url, which has the separator too.
  const nonce = randomBytes(6).toString('hex');
  let lastStream = 0;
  let standalone: Stream | undefined;
  let bytes = 0;

  const free = (size: number) => {
    bytes -= size;
    budget.used -= size;
  };
  const forget = (stream: Stream) => {
    streams.delete(stream.number);
    free(sizeOf(stream));
    stream.events = [];
  };
  const create = (): Stream => {
    lastStream += 1;
    const stream = { number: lastStream, lastEvent: 0, events: [], attached: undefined, endedAt: undefined };
    streams.set(lastStream, stream);
    return stream;
  };
  const keep = (stream: Stream, data: string): string => {
    stream.lastEvent += 1;
    const size = data.length;
    const fits = () => bytes + size <= MAX_SESSION_BYTES && budget.used + size <= budget.max;
    for (const { events } of streams.values()) {
      while (!fits() && events.length > 0) {
        free(events.shift()?.data.length ?? 0);
      }
    }
    if (fits()) {
      stream.events.push({ number: stream.lastEvent, data });
      bytes += size;
      budget.used += size;
    }
    return `${nonce}_${stream.number}_${stream.lastEvent}`;
  };
  const attach = (stream: Stream, exchange: Exchange) => {
    const opened = openEventStream(exchange);
    stream.attached = opened;
    exchange.onClose(() => {
      if (stream.attached === opened) {
        stream.attached = undefined;
      }
    });
    return opened;
  };
  const begin = (stream: Stream, exchange: Exchange, isPrimed: boolean) => {
    const opened = attach(stream, exchange);
    if (isPrimed) {
      opened.retryAfter(RETRY_MS);
      opened.send('', keep(stream, ''));
    }
    return opened;
  };
  const send = (stream: Stream, data: string) => {
    const id = keep(stream, data);
    return stream.attached?.send(data, id) ?? false;
  };

  return {
    openAnswer(exchange, isPrimed) {
      const stream = create();
      begin(stream, exchange, isPrimed);
      return {
        send: (data) => send(stream, data),
        end() {
          stream.endedAt = now();
          stream.attached?.end();
        },
      };
    },
    openStandalone(exchange, isPrimed) {
      if (standalone?.attached !== undefined) {
        return undefined;
      }
      if (standalone !== undefined) {
        standalone.endedAt ??= now();
      }
      standalone = create();
      return begin(standalone, exchange, isPrimed);
    },
    sendStandalone: (data) => standalone !== undefined && send(standalone, data),
    resume(exchange, lastEventId) {
      const { owner, number, event } = EVENT_ID.exec(lastEventId)?.groups ?? {};
      const stream = owner === nonce ? streams.get(Number(number)) : undefined;
      const after = Number(event);
      const isKept =
        stream !== undefined &&
        (after === stream.lastEvent || stream.events.some(({ number }) => number === after + 1));
      if (stream === undefined || !isKept) {
        return undefined;
      }
      stream.attached?.end();
      const opened = attach(stream, exchange);
      for (const { number, data } of stream.events) {
        // A priming event marks a place and carries no message.
        if (number > after && data !== '') {
          opened.send(data, `${nonce}_${stream.number}_${number}`);
        }
      }
      if (stream.endedAt !== undefined) {
        opened.end();
      }
      return opened;
    },
    sweep(time) {
      for (const stream of streams.values()) {
        if (stream.endedAt !== undefined && time - stream.endedAt > KEEP_ENDED_MS) {
          forget(stream);
        }
      }
    },
    close() {
      for (const stream of streams.values()) {
        stream.attached?.end();
        forget(stream);
      }
    },
  };
}

function sizeOf({ events }: Stream): number {
  return events.reduce((sum, { data }) => sum + data.length, 0);
}
