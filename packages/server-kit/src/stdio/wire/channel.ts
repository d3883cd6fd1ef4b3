import { errorResponse, type RequestId } from './message.ts';

/** 2026-07-28, basic, error codes. */
const UNSUPPORTED_VERSION = -32022;

/** The server of one era, as the router sees it. */
export interface Channel {
  /** Hands it a message of the client. */
  readonly deliver: (message: object) => void;
  readonly close: () => Promise<void>;
}

/** What a server of an era may do with the connection. */
export interface ChannelPort {
  /** Sends a message to the client. */
  readonly send: (message: object) => void;
  /** The server has closed its side by itself. */
  readonly closed: () => void;
}

/** Makes the server of an era. */
export type OpenChannel = (port: ChannelPort) => Promise<Channel>;

/** In place of the server of an era that is not served. */
export const openAbsent: OpenChannel = (port) =>
  Promise.resolve({
    deliver(message) {
      const { id, method } = message as { readonly id?: RequestId; readonly method?: unknown };
      if (id !== undefined && method !== undefined) {
        port.send({ ...errorResponse(id, UNSUPPORTED_VERSION, 'Unsupported protocol version.') });
      }
    },
    close: () => Promise.resolve(),
  });

/** A channel that is opened when the first message is for it. */
export interface LazyChannel extends Channel {
  readonly isOpen: () => boolean;
}

/** Opens a channel on first use, and keeps the order of what is delivered meanwhile. */
export function openLate(
  open: OpenChannel,
  port: ChannelPort,
  onFailure: (error: unknown) => void,
): LazyChannel {
  let opening: Promise<Channel> | undefined;
  let channel: Channel | undefined;
  let early: object[] = [];
  return {
    isOpen: () => opening !== undefined,
    deliver(message) {
      if (channel !== undefined) {
        channel.deliver(message);
        return;
      }
      early.push(message);
      if (opening === undefined) {
        opening = open(port);
        opening.then((opened) => {
          for (const waiting of early) {
            opened.deliver(waiting);
          }
          early = [];
          channel = opened;
        }, onFailure);
      }
    },
    async close() {
      // One that never opened has nothing to close; its failure was told when it happened.
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
    },
  };
}
