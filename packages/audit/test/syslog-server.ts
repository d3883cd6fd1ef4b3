import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One message as a syslog server takes it apart. */
export interface SyslogMessage {
  readonly header: string;
  readonly message: string;
}

/** A syslog server on a real socket that counts octets as RFC 6587 §3.4.1 says. */
export class SyslogServer implements AsyncDisposable {
  text = '';
  readonly messages: SyslogMessage[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  constructor(create: (listener: (socket: Socket) => void) => Server) {
    this.#server = create((socket) => this.#receive(socket));
  }

  static async start(
    create: (listener: (socket: Socket) => void) => Server = createServer,
  ): Promise<SyslogServer> {
    const server = new SyslogServer(create);
    await server.up();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens; after `down()` on the same port again. */
  async up(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }

  #receive(socket: Socket): void {
    const chunks: Buffer[] = [];
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => this.#take(Buffer.concat(chunks)));
  }

  #take(bytes: Buffer): void {
    this.text += bytes.toString('utf8');
    for (let start = 0; start < bytes.length;) {
      const space = bytes.indexOf(0x20, start);
      const length = Number(bytes.toString('ascii', start, space));
      const frame = bytes.toString('utf8', space + 1, space + 1 + length);
      const end = frame.indexOf('] ') + 1;
      this.messages.push({ header: frame.slice(0, end), message: frame.slice(end + 1) });
      start = space + 1 + length;
    }
  }
}
