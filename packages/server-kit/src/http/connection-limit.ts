import type { Socket } from 'node:net';

import { networkOf } from '../limits/address-limit.ts';

/** The connections of a server. */
export interface ConnectionLimit {
  /** For `connection`: closes what is too much for one address. */
  readonly admit: (socket: Socket) => void;
  /** Waits until every connection has sent what it has to send, or the time is over. */
  readonly finished: (timeoutMs: number) => Promise<void>;
  /** Ends each connection once its client has read, or the time is over. */
  readonly end: (timeoutMs: number) => Promise<void>;
}

const POLL_MS = 10;

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

  const waitFor = async (isDone: () => boolean, timeoutMs: number) => {
    const until = performance.now() + timeoutMs;
    while (!isDone() && performance.now() < until) {
      // oxlint-disable-next-line no-await-in-loop -- Sockets have no event for "all has been read".
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
  };

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
        const left = (byAddress.get(address) ?? 1) - 1;
        if (left === 0) {
          byAddress.delete(address);
        } else {
          byAddress.set(address, left);
        }
      });
    },
    finished: (timeoutMs) =>
      waitFor(() => [...sockets].every(({ writableLength }) => writableLength === 0), timeoutMs),
    async end(timeoutMs) {
      // A request that is on its way when we say goodbye would be lost: a short silence shows that there is none.
      const quiet = new Map([...sockets].map((socket) => [socket, socket.bytesRead]));
      await waitFor(() => sockets.size === 0, Math.min(LINGER_MS, timeoutMs));
      for (const socket of sockets) {
        if (quiet.get(socket) === socket.bytesRead) {
          socket.end();
        }
      }
      await waitFor(() => sockets.size === 0, timeoutMs - LINGER_MS);
    },
  };
}

const LINGER_MS = 100;
