import { afterEach, describe, expect, it, vi } from 'vitest';

import type { McpApp } from '../src/index.ts';
import {
  callEcho,
  echoApp,
  echoTable,
  initialize,
  legacyCall,
  modern,
  openSession,
  post,
} from './mcp-requests.ts';

let app: McpApp;
afterEach(() => app.close());

async function errorOf(answer: Response | Promise<Response>) {
  const response = await answer;
  const message = (await response.json()) as { readonly id: unknown; readonly error?: { code: number } };
  return { status: response.status, id: message.id, code: message.error?.code };
}

describe('a request of 2026-07-28', () => {
  it('is answered with JSON, under the id that it came with', async () => {
    app = echoApp();
    for (const id of [7, '7', 0, '', -1]) {
      const request = modern('tools/call', { name: 'echo', arguments: { text: 'hi' } }, id);
      const answer = await post(app, request.body, request.headers);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json');
      await expect(answer.json()).resolves.toMatchObject({
        jsonrpc: '2.0',
        id,
        result: { resultType: 'complete', structuredContent: { text: 'hi' } },
      });
    }
  });

  it('is answered by itself, though another one in flight has the same id', async () => {
    app = echoApp();
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    const answers = await Promise.all(texts.map(async (text) => (await callEcho(app, { text })).json()));
    expect(answers).toEqual(
      texts.map((text) =>
        expect.objectContaining({ result: expect.objectContaining({ structuredContent: { text } }) }),
      ),
    );
  });

  it('is a list that the server need not be asked for twice', async () => {
    app = echoApp();
    const request = modern('tools/list');
    const first = (await (await post(app, request.body, request.headers)).json()) as object;
    expect(first).toMatchObject({ result: { tools: [{ name: 'echo' }], ttlMs: 0, cacheScope: 'private' } });
    await expect((await post(app, request.body, request.headers)).json()).resolves.toEqual(first);
  });

  it('is cancelled when its client goes away', async () => {
    const stopped = Promise.withResolvers<unknown>();
    const before = (_text: string, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stopped.resolve(signal.reason);
          reject(signal.reason as Error);
        });
        started.resolve();
      });
    const started = Promise.withResolvers<void>();
    app = echoApp({ table: echoTable({ before }) });
    const client = new AbortController();
    void callEcho(app, { text: 'hi' }, {}, client.signal);
    await started.promise;
    client.abort();
    await expect(stopped.promise).resolves.toBeInstanceOf(Error);
    await vi.waitFor(() => expect(app.open().calls).toBe(0));
  });
});

describe('the headers of a request of 2026-07-28', () => {
  const hello = modern('tools/call', { name: 'echo', arguments: { text: 'hi', region: 'eu' } });
  const good = { ...hello.headers, 'mcp-param-region': 'eu' };
  const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;

  it.each([
    ['as they should be', good],
    ['in white space', { ...good, 'mcp-name': '  echo\t', 'mcp-method': ' tools/call ' }],
    ['encoded', { ...good, 'mcp-name': base64('echo'), 'mcp-param-region': base64('eu') }],
    ['with one that nobody knows', { ...good, 'mcp-param-zone': 'b' }],
  ])('pass %s', async (_what, headers) => {
    app = echoApp();
    expect((await post(app, hello.body, headers)).status).toBe(200);
  });

  it.each([
    ['without a version', { ...good, 'mcp-protocol-version': undefined }],
    ['without a method', { ...good, 'mcp-method': undefined }],
    ['with another method', { ...good, 'mcp-method': 'tools/list' }],
    ['with another case of the method', { ...good, 'mcp-method': 'Tools/Call' }],
    ['without a name', { ...good, 'mcp-name': undefined }],
    ['with another name', { ...good, 'mcp-name': 'other' }],
    ['with base64 that is none', { ...good, 'mcp-name': '=?base64?ZWNobw?=' }],
    ['with base64 of no text', { ...good, 'mcp-name': '=?base64?/w==?=' }],
    ['without the region', { ...good, 'mcp-param-region': undefined }],
    ['with another region', { ...good, 'mcp-param-region': 'us' }],
  ])('are refused %s, with -32020 and the id', async (_what, headers) => {
    app = echoApp();
    const given = Object.entries(headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const answer = errorOf(post(app, hello.body, Object.fromEntries(given)));
    await expect(answer).resolves.toEqual({ status: 400, id: 1, code: -32020 });
  });

  it('stand for themselves when they only begin like base64', async () => {
    app = echoApp();
    const region = '=?base64?SGVsbG8=';
    expect((await callEcho(app, { text: 'hi', region }, { 'mcp-param-region': region })).status).toBe(200);
  });

  it('need no region where the arguments have none', async () => {
    app = echoApp();
    expect((await callEcho(app, { text: 'hi' })).status).toBe(200);
    expect((await callEcho(app, { text: 'hi' }, { 'mcp-param-region': 'eu' })).status).toBe(200);
  });
});

describe('the faults of a request of 2026-07-28', () => {
  it('in its version are told with those that are spoken', async () => {
    app = echoApp();
    const { body, headers } = modern('tools/list');
    body.params._meta = { ...body.params._meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const answer = await post(app, body, { ...headers, 'mcp-protocol-version': '2099-01-01' });
    expect(answer.status).toBe(400);
    await expect(answer.json()).resolves.toMatchObject({
      id: 1,
      error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } },
    });
  });

  it('in its envelope are told with 400', async () => {
    app = echoApp();
    const { body, headers } = modern('tools/list');
    const { 'io.modelcontextprotocol/clientCapabilities': _gone, ...meta } = body.params._meta;
    const answer = errorOf(post(app, { ...body, params: { _meta: meta } }, headers));
    await expect(answer).resolves.toEqual({ status: 400, id: 1, code: -32602 });
  });

  it.each(['ping', 'initialize', 'tasks/list', 'no/such'])(
    'in its method are told with 404: %s',
    async (method) => {
      app = echoApp();
      const { body, headers } = modern(method);
      await expect(errorOf(post(app, body, headers))).resolves.toEqual({ status: 404, id: 1, code: -32601 });
    },
  );
});

describe('a body', () => {
  it.each([
    ['{"jsonrpc":"2.0",', 400, null, -32700],
    ['[1', 400, null, -32700],
    ['null', 400, null, -32600],
    ['7', 400, null, -32600],
    ['{}', 400, null, -32600],
    ['[]', 400, null, -32600],
    ['{"jsonrpc":"1.0","id":3,"method":"ping"}', 400, 3, -32600],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, null, -32600],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, null, -32600],
    ['{"jsonrpc":"2.0","id":"a","method":"ping","params":null}', 400, 'a', -32600],
    ['{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}', 400, 'a', -32600],
    [
      '{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{"_meta":{"progressToken":{}}}}',
      400,
      'a',
      -32600,
    ],
    [
      '{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/related-task":null}}}',
      400,
      'a',
      -32600,
    ],
    ['{"jsonrpc":"2.0","id":"a","method":7}', 400, 'a', -32600],
    ['{"jsonrpc":"2.0","id":"a","method":"ping","extra":1}', 400, 'a', -32600],
    ['{"jsonrpc":"2.0","id":4,"method":"ping","params":{"__proto__":{"x":1}}}', 400, null, -32700],
    [
      `{"jsonrpc":"2.0","id":5,"method":"ping","params":{"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
      400,
      null,
      -32700,
    ],
    ['['.repeat(200_000), 400, null, -32700],
  ])('that is wrong is answered, with its id where it has one: %s', async (body, status, id, code) => {
    app = echoApp();
    await expect(errorOf(post(app, body))).resolves.toEqual({ status, id, code });
  });

  it('may begin with a byte order mark', async () => {
    app = echoApp();
    const { body, headers } = modern('tools/call', { name: 'echo', arguments: { text: 'hi' } });
    const answer = await post(app, `\u{FEFF}${JSON.stringify(body)}`, headers);
    expect(answer.status).toBe(200);
  });

  it('of more than the limit is refused, announced or not', async () => {
    app = echoApp({ maxBodyBytes: 1_024 });
    await expect(errorOf(post(app, ' '.repeat(2_000)))).resolves.toMatchObject({ status: 413 });
  });

  it.each([
    [{ 'content-type': 'text/plain' }, undefined],
    [{ 'content-encoding': 'gzip' }, 'identity'],
  ])('of another kind is refused: %o', async (headers, accepted) => {
    app = echoApp();
    const answer = await post(app, initialize(), headers);
    expect(answer.status).toBe(415);
    expect(answer.headers.get('accept-encoding') ?? undefined).toBe(accepted);
  });
});

describe('malformed params', () => {
  it.each([
    ['tools/call', { name: 5 }],
    ['tools/call', { name: 'echo', arguments: null }],
    ['tools/call', { name: 'echo', arguments: 'x' }],
    ['tools/call', { name: 'echo', arguments: [] }],
    ['tools/call', { name: 'echo', task: 7, arguments: { text: 7 } }],
  ])('of %s reach the pipeline in both eras, and are explained in words: %o', async (method, params) => {
    app = echoApp();
    const request = modern(method, params);
    const session = await openSession(app);
    const answers = [
      await post(app, request.body, request.headers),
      await post(app, { jsonrpc: '2.0', id: 2, method, params }, session),
    ];
    for (const answer of answers) {
      const text = await answer.text();
      expect(text).toMatch(/-32602|"isError":true/u);
      expect(text).not.toMatch(/invalid_type|"path"/u);
    }
  });
});

describe('what a client accepts', () => {
  it.each(['*/*', 'application/*, text/*', 'application/json;q=0.1', '', undefined])(
    'may be spelt %j',
    async (accept) => {
      app = echoApp();
      const answer = await post(app, initialize(), accept === undefined ? {} : { accept });
      expect(answer.status).toBe(200);
    },
  );

  it('may be a stream alone', async () => {
    app = echoApp();
    const session = await openSession(app);
    const answer = await post(app, legacyCall('hi'), { ...session, accept: 'text/event-stream' });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const text = await answer.text();
    // The first event has an id and no message: a client can go on from it.
    expect(text).toMatch(/^retry: \d+\n\nevent: message\nid: \S+\ndata: \n\n/u);
    expect(text).toContain('"structuredContent":{"text":"hi"}');
  });

  it('may be neither, and is told so', async () => {
    app = echoApp();
    expect((await post(app, initialize(), { accept: 'text/html' })).status).toBe(406);
  });
});
