import type { Connection, HttpResponse } from './connection.ts';
import type { Wire } from './contenders.ts';

/** What a JSON-RPC response holds, as far as the benchmarks look at it. */
export interface Message {
  readonly result?: {
    readonly tools?: readonly unknown[];
    readonly content?: readonly { readonly text?: string }[];
    readonly structuredContent?: Readonly<Record<string, unknown>>;
    readonly isError?: boolean;
  };
  readonly error?: { readonly code: number; readonly message: string };
}

/** A request before it has a token: the header goes in between. */
export interface RequestParts {
  readonly beforeToken: string;
  readonly afterToken: string;
}

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
};

const SESSION_VERSION = '2025-11-25';

/** Writes requests to one server in one manner. */
export interface Speaker {
  /** A request for a method; every request has the same id, as each is alone on its connection. */
  readonly request: (method: string, params?: object) => RequestParts;
  /** A POST of any text. */
  readonly post: (text: string) => RequestParts;
  /** Opens the event stream of the session. */
  readonly stream: () => RequestParts;
  /** Ends the session. */
  readonly end: () => RequestParts;
}

/** Speaks to the server at `url`; with a session where there is one. */
export function createSpeaker(url: string, wire: Wire, sessionId?: string): Speaker {
  const { host, pathname } = new URL(url);
  const session = sessionId === undefined ? '' : `mcp-session-id: ${sessionId}\r\n`;
  const version = wire === '2026' ? '2026-07-28' : SESSION_VERSION;
  const parts = (verb: string, headers: string, body: string): RequestParts => ({
    beforeToken: `${verb} ${pathname} HTTP/1.1\r\nhost: ${host}\r\n`,
    afterToken: `mcp-protocol-version: ${version}\r\n${session}${headers}\r\n${body}`,
  });
  const post = (text: string, headers = '') =>
    parts(
      'POST',
      `content-type: application/json\r\naccept: application/json, text/event-stream\r\n${headers}` +
        `content-length: ${Buffer.byteLength(text)}\r\n`,
      text,
    );
  return {
    post: (text) => post(text),
    stream: () => parts('GET', 'accept: text/event-stream\r\n', ''),
    end: () => parts('DELETE', '', ''),
    request(method, params = {}) {
      if (wire !== '2026') {
        return post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
      }
      const target = 'name' in params && typeof params.name === 'string' ? params.name : undefined;
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: envelope } });
      return post(body, `mcp-method: ${method}\r\n${target === undefined ? '' : `mcp-name: ${target}\r\n`}`);
    },
  };
}

/** The text on the wire. */
export function withToken({ beforeToken, afterToken }: RequestParts, token: string | undefined): string {
  return token === undefined
    ? beforeToken + afterToken
    : `${beforeToken}authorization: Bearer ${token}\r\n${afterToken}`;
}

/** Opens a session and returns its id. */
export async function openSession(
  connection: Connection,
  url: string,
  token: string | undefined,
): Promise<string> {
  const opened = await connection.send(
    withToken(
      createSpeaker(url, 'session').request('initialize', {
        protocolVersion: SESSION_VERSION,
        capabilities: {},
        clientInfo: { name: 'bench', version: '1.0.0' },
      }),
      token,
    ),
  );
  const id = /\r\nmcp-session-id: *(\S+)/iu.exec(opened.head)?.[1];
  if (opened.status !== 200 || id === undefined) {
    throw new Error(`no session: ${opened.status} ${opened.body.toString()}`);
  }
  const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await connection.send(withToken(createSpeaker(url, 'session', id).post(initialized), token));
  return id;
}

/** The JSON-RPC message of a response, whether it is JSON or an event stream. */
export function messageOf({ body }: HttpResponse): Message {
  const text = body.toString();
  const data = text.split('\n').findLast((line) => line.startsWith('data: {'));
  // The checks look at what they need of it.
  return JSON.parse(data === undefined ? text : data.slice('data: '.length)) as Message;
}
