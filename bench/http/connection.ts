import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One HTTP response. */
export interface HttpResponse {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/**
 * An HTTP/1.1 connection that is kept alive, one request at a time. It does the least that a client can do: on the core
 * of the load nothing may cost more than the servers that are compared.
 */
export class Connection implements Disposable {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<HttpResponse> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      const parsed = parseResponse(this.#received);
      if (parsed !== undefined && this.#waiting !== undefined) {
        const { resolve } = this.#waiting;
        this.#waiting = undefined;
        this.#received = this.#received.subarray(parsed.bytes);
        resolve(parsed.response);
      }
    });
    // Nothing that is asked here takes that long: better an error than a benchmark that hangs.
    socket.setTimeout(30_000, () => this.#waiting?.reject(new Error('no response in 30 s')));
    const onEnd = (error?: unknown) => {
      this.#waiting?.reject(error instanceof Error ? error : new Error('the server closed the connection'));
      this.#waiting = undefined;
    };
    socket.on('error', onEnd);
    socket.on('close', onEnd);
  }

  /** Connects to the server of this URL. */
  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Sends the bytes of a whole request and waits for the whole response. */
  send(request: string | Buffer): Promise<HttpResponse> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  /** Sends a request whose response never ends and waits for its head. */
  async openStream(request: string): Promise<string> {
    this.#socket.removeAllListeners('data');
    this.#socket.write(request);
    let text = '';
    for (;;) {
      const [chunk] = (await once(this.#socket, 'data')) as [Buffer];
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n')) {
        this.#socket.resume();
        return text;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const END_OF_LINE = Buffer.from('\r\n');

/** The first response in what was received, or `undefined` while it is incomplete. */
function parseResponse(
  received: Buffer,
): { readonly response: HttpResponse; readonly bytes: number } | undefined {
  const endOfHead = received.indexOf(END_OF_HEAD);
  if (endOfHead < 0) {
    return undefined;
  }
  const head = received.toString('latin1', 0, endOfHead);
  const status = Number(head.slice(9, 12));
  const start = endOfHead + END_OF_HEAD.length;
  const length = /\r\ncontent-length: *(\d+)/iu.exec(head)?.[1];
  if (length !== undefined) {
    const bytes = start + Number(length);
    return received.length < bytes
      ? undefined
      : { bytes, response: { status, head, body: received.subarray(start, bytes) } };
  }
  if (!/\r\ntransfer-encoding: *chunked/iu.test(head)) {
    return { bytes: start, response: { status, head, body: Buffer.alloc(0) } };
  }
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const endOfSize = received.indexOf(END_OF_LINE, at);
    if (endOfSize < 0) {
      return undefined;
    }
    const size = Number.parseInt(received.toString('latin1', at, endOfSize), 16);
    const from = endOfSize + END_OF_LINE.length;
    at = from + size + END_OF_LINE.length;
    if (received.length < at) {
      return undefined;
    }
    if (size === 0) {
      return { bytes: at, response: { status, head, body: Buffer.concat(chunks) } };
    }
    chunks.push(received.subarray(from, from + size));
  }
}
