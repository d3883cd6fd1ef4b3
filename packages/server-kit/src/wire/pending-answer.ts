import type { Accepted } from './accept.ts';
import { encodeMessage, encodeResponse, type OutgoingMessage } from './encode.ts';
import type { Exchange } from './exchange.ts';
import type { RpcId } from './message.ts';
import { answerJson } from './rpc-answer.ts';

/** A call that takes longer gets a stream, whose signs of life keep proxies from giving up on it, in milliseconds. */
const OPEN_STREAM_AFTER_MS = 2_000;

/** Where the messages of one answer go once it is a stream. */
export interface AnswerChannel {
  /** `false` when the message can reach nobody. */
  readonly send: (data: string) => boolean;
  readonly end: () => void;
}

/** How one request gets its answer. */
export interface PendingAnswerOptions {
  /** As the client gave it. */
  readonly id: RpcId;
  readonly accepts: Accepted;
  /** Begins the answer as a stream. */
  readonly openChannel: () => AnswerChannel;
}

/** The answer to one request: JSON, or a stream of events when something has to be said before it. */
export interface PendingAnswer {
  /** Sends a notification or a request to the client; `false` when it can reach nobody. */
  readonly notify: (message: OutgoingMessage) => boolean;
  /** Ends the answer with the response. `status` counts while no stream is open. */
  readonly respond: (message: OutgoingMessage, status?: number) => void;
  /** Ends the answer without a response. */
  readonly abandon: () => void;
}

/** Prepares the answer to one request. */
export function createPendingAnswer(exchange: Exchange, options: PendingAnswerOptions): PendingAnswer {
  const { id, accepts, openChannel } = options;
  let channel: AnswerChannel | undefined;
  let isEnded = false;

  const open = () => (channel ??= accepts.stream && !isEnded ? openChannel() : undefined);
  const timer = accepts.stream ? setTimeout(open, OPEN_STREAM_AFTER_MS) : undefined;
  timer?.unref();
  const finish = () => {
    isEnded = true;
    clearTimeout(timer);
  };

  return {
    notify: (message) => open()?.send(encodeMessage(message)) ?? false,
    respond(message, status = 200) {
      if (isEnded) {
        return;
      }
      if (!accepts.json) {
        open();
      }
      finish();
      const text = encodeResponse(message, id);
      if (channel === undefined) {
        answerJson(exchange, status, text);
        return;
      }
      channel.send(text);
      channel.end();
    },
    abandon() {
      if (isEnded) {
        return;
      }
      open();
      finish();
      if (channel === undefined) {
        exchange.answer(202, {});
      } else {
        channel.end();
      }
    },
  };
}
