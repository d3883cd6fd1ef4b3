import type { Socket } from 'node:net';

import { networkOf } from '../limits/address-limit.ts';

/** The connections of a server. */
export interface ConnectionLimit {
  /** For `connection`: closes what is too much for one address. */
  readonly admit: (socket: Socket) => void;
  /** Ends each connection once nothing is under way on it, or the time is over. */
  readonly end: (isBusy: (socket: Socket) => boolean, timeoutMs: number) => Promise<void>;
}

/** Counts connections by address; an address of a trusted proxy stands for many. */
export function createConnectionLimit({
  maxConnectionsPerAddress,
  trustedProxies,
}: {
  readonly maxConnectionsPerAddress: number;
  readonly trustedProxies: readonly string[];
}): ConnectionLimit {
  const byAddress = new Map<string, number>();
  const sockets = new Set<Socket>();
  const isLimited = trustedProxies.length === 0;

  let whenEmpty = () => {};

  return {
    admit(socket) {
      const address = networkOf(socket.remoteAddress ?? '');
      const count = (byAddress.get(address) ?? 0) + 1;
      if (isLimited && count > maxConnectionsPerAddress) {
        socket.destroy();
        return;
      }
      byAddress.set(address, count);
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        if (sockets.size === 0) {
          whenEmpty();
        }
        const left = (byAddress.get(address) ?? 1) - 1;
        if (left === 0) {
          byAddress.delete(address);
        } else {
          byAddress.set(address, left);
        }
      });
    },
    async end(isBusy, timeoutMs) {
      const until = performance.now() + timeoutMs;
      let silent = new Map<Socket, number>();
      while (sockets.size > 0 && performance.now() < until) {
        // oxlint-disable-next-line no-await-in-loop -- A silence is a time in which nothing comes.
        await silence(Math.min(SILENCE_MS, until - performance.now()));
        for (const socket of sockets) {
          if (!isBusy(socket) && silent.get(socket) === socket.bytesRead) {
            socket.end();
          }
        }
        silent = new Map([...sockets].map((socket) => [socket, socket.bytesRead]));
      }
    },
  };

  /** Is over early when the last connection ends. */
  function silence(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A request that is on its way when we say goodbye would be lost: so long there must be none. */
const SILENCE_MS = 100;
