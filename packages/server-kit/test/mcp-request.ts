/** How a client spells a request in each era. */
export type Era = '2025' | '2026';

/** An answer with the messages in it. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON-RPC response, if it is one. */
  readonly message: {
    readonly result?: Record<string, unknown>;
    readonly error?: { readonly code: number; readonly message: string };
  };
}

/** A client of one era with one token, speaking plain HTTP, so that a test sees status and headers. */
export interface McpClient {
  /** `headers` replace those that are sent by default. */
  readonly send: (
    method: string,
    params?: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
  /** The headers of its requests. */
  readonly headers: Readonly<Record<string, string>>;
}

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1.0.0' },
};

/** Opens a session where the era has them. */
export async function openClient(url: string, era: Era, token: string): Promise<McpClient> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  if (era === '2025') {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'raw', version: '1.0.0' },
    };
    const opened = await post(url, headers, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
    headers['mcp-session-id'] = opened.headers.get('mcp-session-id') ?? '';
    headers['mcp-protocol-version'] = '2025-11-25';
    await post(url, headers, { jsonrpc: '2.0', method: 'notifications/initialized' });
  }
  let id = 0;
  return {
    headers,
    send(method, params = {}, more = {}) {
      id += 1;
      if (era === '2025') {
        return post(url, { ...headers, ...more }, { jsonrpc: '2.0', id, method, params });
      }
      const target = 'name' in params ? params.name : 'uri' in params ? params.uri : undefined;
      const modern = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(typeof target === 'string' && { 'mcp-name': target }),
      };
      const body = { jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope } };
      return post(url, { ...headers, ...modern, ...more }, body);
    },
  };
}

async function post(url: string, headers: Record<string, string>, body: object): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, message: messageOf(text) };
}

function messageOf(text: string): Answer['message'] {
  const data = text.split('\n').findLast((line) => line.startsWith('data: {'));
  const json = data === undefined ? text : data.slice('data: '.length);
  // The tests look at what they need of it.
  return json === '' ? {} : (JSON.parse(json) as Answer['message']);
}
