import { encodeEvent, KEEP_ALIVE } from './encode.ts';
import type { AnswerStream, Exchange } from './exchange.ts';

/** Below the idle time of common proxies. */
const KEEP_ALIVE_MS = 15_000;

const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // nginx would collect the events otherwise.
  'x-accel-buffering': 'no',
} as const;

/** An open stream of events to one client. */
export interface EventStream {
  /** `false` when the client is gone, or does not read. */
  readonly send: (data: string, id?: string) => boolean;
  /** Tells the client how long to wait before it opens a lost stream again, in milliseconds. */
  readonly retryAfter: (ms: number) => void;
  readonly end: () => void;
  readonly isOpen: () => boolean;
}

/** Answers with events. The stream has a sign of life every 15 seconds. */
export function openEventStream(exchange: Exchange, headers?: Readonly<Record<string, string>>): EventStream {
  const answer: AnswerStream = exchange.openStream({ ...streamHeaders, ...headers });
  const timer = setInterval(() => answer.write(KEEP_ALIVE), KEEP_ALIVE_MS);
  timer.unref();
  exchange.onClose(() => clearInterval(timer));
  return {
    send: (data, id) => answer.write(encodeEvent(data, id)),
    retryAfter: (ms) => void answer.write(`retry: ${ms}\n\n`),
    end() {
      clearInterval(timer);
      answer.end();
    },
    isOpen: answer.isOpen,
  };
}
