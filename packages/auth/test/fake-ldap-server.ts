import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A search as it came in. Filters are not read: what they hold is somewhere in `text`. */
export interface FakeSearch {
  readonly id: number;
  readonly base: string;
  /** The whole request, byte by byte. */
  readonly text: string;
  /** Of the control for pages (RFC 2696). @default it was not asked for */
  readonly cookie?: string | undefined;
}

/** Sends what belongs to one search. */
export interface FakeAnswer {
  readonly entry: (dn: string) => void;
  /** Ends it with a result code, and the cookie of the next page. @default no control for pages */
  readonly done: (resultCode: number, cookie?: string) => void;
  /** Sends what is not LDAP. */
  readonly noise: () => void;
}

/** A server that does what slapd cannot be made to do. */
export interface FakeLdapServer extends AsyncDisposable {
  readonly url: string;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Searches that came in so far. */
  readonly searches: readonly FakeSearch[];
  /** The ids of searches that were abandoned. */
  readonly abandoned: readonly number[];
}

const PAGED_RESULTS = '1.2.840.113556.1.4.319';

/** Lets everybody in, and leaves each search to `onSearch`. On a free loopback port. */
export async function startFakeLdapServer(
  onSearch: (search: FakeSearch, answer: FakeAnswer) => void,
  /** Bytes in each write. @default a message */
  chunkBytes = Infinity,
): Promise<FakeLdapServer> {
  const sockets = new Set<Socket>();
  const abandoned: number[] = [];
  const searches: FakeSearch[] = [];
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let next = readTlv(rest); next !== undefined; next = readTlv(rest)) {
        rest = next.rest;
        answerMessage(socket, next.value);
      }
    });
  });

  function answerMessage(socket: Socket, message: Buffer): void {
    const [idPart, operation, controls] = partsOf(message);
    const id = idPart?.value.readUIntBE(0, idPart.value.length) ?? 0;
    const send = (...content: readonly Buffer[]): void => {
      const bytes = tlv(0x30, tlv(0x02, idPart?.value ?? Buffer.of(0)), ...content);
      for (let at = 0; at < bytes.length && !socket.destroyed; at += chunkBytes) {
        socket.write(bytes.subarray(at, at + chunkBytes));
      }
    };
    if (operation === undefined) {
      return;
    }
    switch (operation.tag) {
      case 0x60:
        send(tlv(0x61, result(0)));
        break;
      case 0x50:
        abandoned.push(operation.value.readUIntBE(0, operation.value.length));
        break;
      case 0x63: {
        const [base] = partsOf(operation.value);
        const control = controls?.value.toString('latin1') ?? '';
        const search = {
          id,
          base: base?.value.toString() ?? '',
          text: operation.value.toString('latin1'),
          ...(control.includes(PAGED_RESULTS) && { cookie: cookieOf(controls?.value) }),
        };
        searches.push(search);
        onSearch(search, {
          entry: (dn) => send(tlv(0x64, text(dn), tlv(0x30))),
          noise: () => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
          done: (code, cookie) =>
            send(tlv(0x65, result(code)), ...(cookie === undefined ? [] : [pageControl(cookie)])),
        });
        break;
      }
      default:
        break;
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `ldap://127.0.0.1:${port}`,
    get accepted() {
      return accepted;
    },
    abandoned,
    searches,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) {
        socket.destroy();
      }
      await closed;
    },
  };
}

interface Tlv {
  readonly tag: number;
  readonly value: Buffer;
  readonly rest: Buffer;
}

/** X.690 §8.1, definite lengths; `undefined` while it is not all there. */
function readTlv(bytes: Buffer): Tlv | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) {
    return undefined;
  }
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = 2 + lengthBytes;
  if (bytes.length < start) {
    return undefined;
  }
  const end = start + (lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes));
  return bytes.length < end
    ? undefined
    : { tag, value: bytes.subarray(start, end), rest: bytes.subarray(end) };
}

function partsOf(bytes: Buffer): readonly Tlv[] {
  const parts: Tlv[] = [];
  for (let next = readTlv(bytes); next !== undefined; next = readTlv(next.rest)) {
    parts.push(next);
  }
  return parts;
}

function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  const length =
    value.length < 0x80 ? Buffer.of(value.length) : Buffer.of(0x82, value.length >> 8, value.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, value]);
}

const text = (value: string): Buffer => tlv(0x04, Buffer.from(value));
const result = (code: number): Buffer => Buffer.concat([tlv(0x0a, Buffer.of(code)), text(''), text('')]);

function pageControl(cookie: string): Buffer {
  const value = tlv(0x30, tlv(0x02, Buffer.of(0)), text(cookie));
  return tlv(0xa0, tlv(0x30, text(PAGED_RESULTS), tlv(0x04, value)));
}

function cookieOf(controls: Buffer | undefined): string {
  const control = partsOf(controls ?? Buffer.alloc(0)).find(({ value }) => value.includes(PAGED_RESULTS));
  const value = partsOf(control?.value ?? Buffer.alloc(0)).findLast(({ tag }) => tag === 0x04)?.value;
  const [sequence] = partsOf(value ?? Buffer.alloc(0));
  const [, cookie] = partsOf(sequence?.value ?? Buffer.alloc(0));
  return cookie?.value.toString() ?? '';
}
