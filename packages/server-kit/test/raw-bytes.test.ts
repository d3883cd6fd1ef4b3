import { connect } from 'node:net';

import { localCaller } from '@mcp-parts/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { serveHttp, type HttpServer, type Server } from '../src/index.ts';
import { modern } from './mcp-requests.ts';
import { echoTool, openServer } from './test-server.ts';

let server: Server;
let http: HttpServer;
let host: string;
let handled = 0;

beforeAll(async () => {
  server = await openServer(echoTool(() => void (handled += 1)));
  http = await serveHttp(server, {
    port: 0,
    gate: { unauthenticated: localCaller({ name: 'test', permissions: ['echo'] }) },
  });
  ({ host } = new URL(http.url));
});
afterAll(async () => {
  await http.close();
  await server.close();
});

const call = modern('tools/call', { name: 'echo', arguments: { text: 'hi' } });
const body = JSON.stringify(call.body);
const length = Buffer.byteLength(body);
const fields = Object.entries({ ...call.headers, 'content-type': 'application/json' })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** A call that would be answered, with other bytes in one of its places. */
interface Odd {
  readonly line?: string;
  readonly host?: string;
  readonly more?: string;
  readonly framing?: string;
  readonly content?: string;
}

function bytesOf({ line, host: hosts, more = '', framing, content = body }: Odd = {}): string {
  return [
    line ?? 'POST /mcp HTTP/1.1\r\n',
    hosts ?? `Host: ${host}\r\n`,
    fields,
    more,
    framing ?? `Content-Length: ${length}\r\n`,
    '\r\n',
    content,
  ].join('');
}

/** All that comes back until the server closes. */
function answerTo(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(http.url);
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(bytes, 'latin1')));
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(received));
  });
}

const chunked = 'Transfer-Encoding: chunked\r\n';
/** What follows on the connection: whoever answers it has taken the rest of one request for another. */
const second = () => bytesOf();

/** RFC 9112 §3, §5, §6, §7 and §11.2: what one reader takes otherwise than another. */
const corpus: Readonly<Record<string, Odd>> = {
  'a length and chunks': { framing: `Content-Length: ${length}\r\n${chunked}` },
  'chunks and a length': { framing: `${chunked}Content-Length: ${length}\r\n` },
  'two lengths that differ': { framing: `Content-Length: ${length}\r\nContent-Length: 5\r\n` },
  'two lengths that are equal': { framing: `Content-Length: ${length}\r\nContent-Length: ${length}\r\n` },
  'a list of lengths': { framing: `Content-Length: ${length}, 5\r\n` },
  'a length with a plus': { framing: `Content-Length: +${length}\r\n` },
  'a negative length': { framing: 'Content-Length: -1\r\n' },
  'a hexadecimal length': { framing: 'Content-Length: 0x5\r\n' },
  'a length with a fraction': { framing: 'Content-Length: 5.0\r\n' },
  'two numbers in a length': { framing: 'Content-Length: 5 5\r\n' },
  'a length beyond all numbers': { framing: `Content-Length: ${'9'.repeat(30)}\r\n` },
  'an unknown coding': { framing: 'Transfer-Encoding: xchunked\r\n' },
  'chunks that are not the last coding': { framing: 'Transfer-Encoding: chunked, identity\r\n' },
  'identity as a coding': { framing: 'Transfer-Encoding: identity\r\n' },
  'a tab in the name of a coding': { framing: 'Transfer-Encoding: chun\tked\r\n' },
  'a vertical tab before a coding': { framing: 'Transfer-Encoding:\u000bchunked\r\n' },
  'a coding in quotes': { framing: 'Transfer-Encoding: "chunked"\r\n' },
  'a space before the colon of the coding': { framing: 'Transfer-Encoding : chunked\r\n' },
  'a space before the colon': { more: 'X-Thing : 1\r\n' },
  'a space before the first field': { host: ' X-Thing: 1\r\nHost: {host}\r\n' },
  'a field over two lines': { more: 'X-Thing: 1\r\n and more\r\n' },
  'a field without a colon': { more: 'X-Thing\r\n' },
  'a field without a name': { more: ': 1\r\n' },
  'a parenthesis in a name': { more: 'X(Thing: 1\r\n' },
  'a NUL in a name': { more: 'X-\u0000Thing: 1\r\n' },
  'a NUL in a value': { more: 'X-Thing: a\u0000b\r\n' },
  'a lone CR in a value': { more: 'X-Thing: a\rContent-Length: 0\r\n' },
  'a lone LF after a field': { more: 'X-Thing: 1\n' },
  'a lone LF after the request line': { line: 'POST /mcp HTTP/1.1\n' },
  'a lone CR after the request line': { line: 'POST /mcp HTTP/1.1\r' },
  'no Host': { host: '' },
  'two Hosts': { host: 'Host: {host}\r\nHost: evil.example\r\n' },
  'two Hosts that are equal': { host: 'Host: {host}\r\nHost: {host}\r\n' },
  'an empty Host': { host: 'Host: \r\n' },
  'a foreign Host': { host: 'Host: evil.example\r\n' },
  'a Host with a user': { host: 'Host: {host}@evil.example\r\n' },
  'a Host with a path': { host: 'Host: {host}/evil\r\n' },
  'a list of Hosts': { host: 'Host: {host}, evil.example\r\n' },
  'a request line of HTTP/0.9': { line: 'POST /mcp\r\n' },
  'HTTP/2.0 in the request line': { line: 'POST /mcp HTTP/2.0\r\n' },
  'HTTP/1.2 in the request line': { line: 'POST /mcp HTTP/1.2\r\n' },
  'a lower-case protocol': { line: 'POST /mcp http/1.1\r\n' },
  'a longer version': { line: 'POST /mcp HTTP/1.10\r\n' },
  'an unknown method': { line: 'SMUGGLE /mcp HTTP/1.1\r\n' },
  'a lower-case method': { line: 'post /mcp HTTP/1.1\r\n' },
  'no method': { line: ' /mcp HTTP/1.1\r\n' },
  'a space in the target': { line: 'POST /m cp HTTP/1.1\r\n' },
  'a control character in the target': { line: 'POST /mcp\u0001 HTTP/1.1\r\n' },
  'a target without a slash': { line: 'POST mcp HTTP/1.1\r\n' },
  'the preface of HTTP/2': { line: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  'a greeting of TLS': { line: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003' },
  'a greeting of SSH': { line: 'SSH-2.0-OpenSSH_9.2\r\n' },
  'more fields than fit': { more: `X-Thing: ${'a'.repeat(70_000)}\r\n` },
  'a chunk whose size is no number': { framing: chunked, content: `g\r\n${body}\r\n0\r\n\r\n` },
  'a chunk with 0x before its size': { framing: chunked, content: `0x5\r\n${body}\r\n0\r\n\r\n` },
  'a chunk of negative size': { framing: chunked, content: `-5\r\n${body}\r\n0\r\n\r\n` },
  'a chunk whose size is beyond all numbers': { framing: chunked, content: `${'f'.repeat(20)}\r\n` },
  'a chunk longer than its size': { framing: chunked, content: `5\r\n${body}\r\n0\r\n\r\n` },
  'a lone LF after the size of a chunk': {
    framing: chunked,
    content: `${length.toString(16)}\n${body}\r\n0\r\n\r\n`,
  },
  'a lone LF in the extension of a chunk': {
    framing: chunked,
    content: `${length.toString(16)};a\n${body}\r\n0\r\n\r\n`,
  },
  'a space before the size of a chunk': {
    framing: chunked,
    content: ` ${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  },
  'two Authorization fields': { more: 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n' },
};

describe('bytes that two readers could take for different requests', () => {
  it('are more than forty kinds', () => {
    expect(Object.keys(corpus).length).toBeGreaterThan(40);
  });

  it.each(Object.entries(corpus))('are refused, and what follows is not read: %s', async (_, odd) => {
    const before = handled;
    const hosts = odd.host?.replaceAll('{host}', host);
    const bytes = bytesOf(hosts === undefined ? odd : { ...odd, host: hosts });
    const answer = await answerTo(`${bytes}${second()}`);
    expect(answer).toMatch(/^HTTP\/1\.1 [45]\d\d /u);
    expect(answer.match(/HTTP\/1\.1 \d\d\d /gu)).toHaveLength(1);
    expect(handled).toBe(before);
  });

  it('leave the server as it was', async () => {
    const answer = await answerTo(bytesOf({ more: 'Connection: close\r\n' }));
    expect(answer).toMatch(/^HTTP\/1\.1 200 /u);
    expect(handled).toBeGreaterThan(0);
  });
});
