import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands between a client and a server on loopback, and misbehaves on demand. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Everything that clients sent, in the order it came. */
  readonly sent: Buffer;
  /** While true, nothing passes from the server to clients: they wait. */
  isMuted: boolean;
  /** While true, connections are closed as soon as they are accepted. */
  isRefusing: boolean;
  /** Cuts all connections. */
  readonly sever: () => void;
  readonly close: () => Promise<void>;
}

/** Forwards a new loopback port to `targetPort`. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const sent: Buffer[] = [];
  let accepted = 0;
  const server = createServer((client) => {
    accepted += 1;
    if (proxy.isRefusing) {
      client.destroy();
      return;
    }
    const target = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      sent.push(chunk);
      target.write(chunk);
    });
    target.on('data', (chunk) => {
      if (!proxy.isMuted) {
        client.write(chunk);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;

  const sever = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    sever();
    await closed;
  };
  const proxy: TcpProxy = {
    port,
    get accepted() {
      return accepted;
    },
    get sent() {
      return Buffer.concat(sent);
    },
    isMuted: false,
    isRefusing: false,
    sever,
    close,
    [Symbol.asyncDispose]: close,
  };
  return proxy;
}
