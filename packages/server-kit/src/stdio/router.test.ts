import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { Era } from './era.ts';
import { createRouter } from './router.ts';
import type { ChannelPort } from './wire/channel.ts';

type Message = Readonly<Record<string, unknown>>;

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A router between a client and two servers, which answer when they are told to. */
function setUp(maxCalls = 64) {
  const delivered: { readonly era: Era; readonly message: Message }[] = [];
  const sent: unknown[] = [];
  const ports = new Map<Era, ChannelPort>();
  const server = (era: Era) => (port: ChannelPort) => {
    ports.set(era, port);
    return Promise.resolve({
      deliver: (message: object) => void delivered.push({ era, message: message as Message }),
      close: () => Promise.resolve(),
    });
  };
  let isFull = false;
  const router = createRouter({
    channels: { 2025: server('2025'), 2026: server('2026') },
    writer: {
      write: (message) => void sent.push(message),
      isFull: () => isFull,
      flushed: () => Promise.resolve(),
    },
    maxCalls,
    logger: silent,
    onRoom: () => undefined,
    onClosed: () => undefined,
  });
  let id = 0;
  return {
    router,
    delivered,
    sent,
    fill: () => {
      isFull = true;
    },
    receive: async (...messages: readonly unknown[]) => {
      for (const message of messages) {
        router.receive(Buffer.from(JSON.stringify(message)));
      }
      await setImmediate();
    },
    request: (method: string, params?: object) => {
      id += 1;
      return { jsonrpc: '2.0', id, method, ...(params && { params }) };
    },
    answer: (era: Era, message: object) => ports.get(era)?.send({ jsonrpc: '2.0', ...message }),
    eras: () => delivered.map(({ era, message }) => `${era} ${String(message['method'])}`),
  };
}

const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} };
const modern = { _meta: { [VERSION]: '2026-07-28' } };

describe('the era of a connection', () => {
  it('is not decided by a probe', async () => {
    const { receive, request, eras } = setUp();
    await receive(
      request('server/discover', modern),
      request('server/discover'),
      request('initialize', initialize),
      request('tools/list'),
    );
    expect(eras()).toEqual([
      '2026 server/discover',
      '2026 server/discover',
      '2025 initialize',
      '2025 tools/list',
    ]);
  });

  it('is that of each message which names a version, before and after initialize', async () => {
    const { receive, request, eras } = setUp();
    await receive(request('tools/list', modern));
    await receive(request('ping'), request('initialize', initialize));
    await receive(request('prompts/list', modern), request('tools/list'));
    expect(eras()).toEqual([
      '2026 tools/list',
      '2026 ping',
      '2025 initialize',
      '2026 prompts/list',
      '2025 tools/list',
    ]);
  });

  it('is 2025 for a client that does not introduce itself', async () => {
    const { receive, request, eras } = setUp();
    await receive(request('tools/list'), request('ping'));
    expect(eras()).toEqual(['2025 tools/list', '2025 ping']);
  });

  it('refuses a version that is not served, on every request', async () => {
    const { receive, request, delivered, sent } = setUp();
    await receive(request('tools/list', modern));
    for (const version of ['2099-01-01', '2025-11-25', '']) {
      await receive(request('tools/list', { _meta: { [VERSION]: version } }));
      expect(sent.at(-1)).toMatchObject({
        id: expect.any(Number),
        error: { code: -32022, data: { supported: ['2026-07-28'], requested: version } },
      });
    }
    expect(delivered).toHaveLength(1);
  });
});

describe('an id', () => {
  it('keeps its type', async () => {
    const { receive, answer, sent } = setUp();
    await receive(
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { jsonrpc: '2.0', id: '1', method: 'tools/list' },
    );
    answer('2025', { id: '1', result: {} });
    answer('2025', { id: 1, result: {} });
    expect(sent).toEqual([
      { jsonrpc: '2.0', id: '1', result: {} },
      { jsonrpc: '2.0', id: 1, result: {} },
    ]);
  });

  it('belongs to one running request at a time', async () => {
    const { receive, answer, sent, delivered } = setUp();
    const twice = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    await receive(twice, twice);
    expect(sent).toMatchObject([{ id: 1, error: { code: -32600 } }]);
    answer('2025', { id: 1, result: {} });
    await receive(twice);
    expect(delivered).toHaveLength(2);
  });

  it('of an answer that nobody waits for goes nowhere', async () => {
    const { receive, request, answer, sent, delivered } = setUp();
    await receive(request('initialize', initialize));
    answer('2025', { id: 0, method: 'roots/list' });
    await receive({ jsonrpc: '2.0', id: '0', result: {} }, { jsonrpc: '2.0', id: 99, result: {} });
    expect(delivered).toHaveLength(1);
    await receive({ jsonrpc: '2.0', id: 0, result: {} }, { jsonrpc: '2.0', id: 0, result: {} });
    expect(delivered).toHaveLength(2);
    answer('2025', { id: 12, result: {} });
    expect(sent).toHaveLength(1);
  });
});

describe('a cancelled request', () => {
  const cancelled = (requestId: number) => ({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId },
  });

  it('has no answer, not even one that was on its way', async () => {
    const { receive, request, answer, sent, router, eras } = setUp();
    await receive(request('tools/call'), cancelled(1));
    answer('2025', { id: 1, result: {} });
    expect(sent).toEqual([]);
    expect(router.count()).toBe(0);
    expect(eras()).toEqual(['2025 tools/call', '2025 notifications/cancelled']);
  });

  it('never starts when it waits for others', async () => {
    const { receive, request, answer, delivered, router } = setUp(1);
    await receive(request('tools/call'), request('tools/call'), cancelled(2));
    answer('2025', { id: 1, result: {} });
    expect(delivered).toHaveLength(1);
    expect(router.count()).toBe(0);
    expect(router.waitingBytes()).toBe(0);
  });
});

describe('calls', () => {
  it('run up to a number at once, and the others in order after them', async () => {
    const { receive, request, answer, eras, router } = setUp(2);
    await receive(...Array.from({ length: 4 }, () => request('tools/call')));
    expect(eras()).toHaveLength(2);
    expect(router.waitingBytes()).toBeGreaterThan(0);
    answer('2025', { id: 2, result: {} });
    answer('2025', { id: 1, result: {} });
    expect(eras()).toHaveLength(4);
    expect(router.waitingBytes()).toBe(0);
  });

  it('hold up neither ping nor initialize', async () => {
    const { receive, request, eras } = setUp(1);
    await receive(
      request('tools/call'),
      request('tools/call'),
      request('initialize', initialize),
      request('ping'),
    );
    expect(eras()).toEqual(['2025 tools/call', '2025 initialize', '2025 ping']);
  });

  it('that are dropped are answered, those that wait and those that come later too; a subscription is not', async () => {
    const { receive, request, answer, sent, router } = setUp(1);
    await receive(
      request('subscriptions/listen', modern),
      request('tools/call', modern),
      request('tools/call', modern),
    );
    expect(router.count()).toBe(2);
    router.dropAll({ code: -32603, message: 'stopped' });
    await receive(request('tools/call', modern));
    expect(sent).toMatchObject([3, 2, 4].map((id) => ({ id, error: { code: -32603, message: 'stopped' } })));
    answer('2026', { id: 2, result: {} });
    answer('2026', { id: 1, result: { resultType: 'complete' } });
    expect(sent).toHaveLength(4);
  });
});

describe('a batch', () => {
  const open = async (protocolVersion: string) => {
    const set = setUp();
    await set.receive(set.request('initialize', { ...initialize, protocolVersion }));
    set.answer('2025', { id: 1, result: { protocolVersion } });
    set.sent.length = 0;
    return set;
  };
  const call = (id: number) => ({ jsonrpc: '2.0', id, method: 'tools/call' });

  it('is answered in one array under 2025-03-26', async () => {
    const { receive, answer, sent } = await open('2025-03-26');
    await receive([
      call(5),
      { jsonrpc: '2.0', id: 6 },
      { jsonrpc: '2.0', method: 'notifications/x' },
      call(7),
    ]);
    answer('2025', { id: 7, result: {} });
    expect(sent).toEqual([]);
    answer('2025', { id: 5, result: {} });
    expect(sent).toMatchObject([
      [
        { id: 6, error: { code: -32600 } },
        { id: 7, result: {} },
        { id: 5, result: {} },
      ],
    ]);
  });

  it('holds neither initialize nor a message of 2026-07-28', async () => {
    const { receive, sent } = await open('2025-03-26');
    await receive([
      { ...call(5), method: 'initialize' },
      { ...call(6), params: modern },
    ]);
    expect(sent).toMatchObject([
      [
        { id: 5, error: { code: -32600 } },
        { id: 6, error: { code: -32600 } },
      ],
    ]);
  });

  it.each([
    ['2025-06-18', 1],
    ['2025-03-26', 0],
    ['2025-03-26', 101],
  ])('is refused: %s, of %d messages', async (version, length) => {
    const { receive, sent, delivered } = await open(version);
    await receive(Array.from({ length }, (_, id) => call(id)));
    expect(sent).toMatchObject([{ id: null, error: { code: -32600 } }]);
    expect(delivered).toHaveLength(1);
  });
});

describe('a client that does not read', () => {
  it('loses notifications, and no answer', async () => {
    const { receive, request, answer, sent, fill } = setUp();
    await receive(request('tools/call'));
    fill();
    answer('2025', { method: 'notifications/progress' });
    answer('2025', { id: 1, result: {} });
    expect(sent).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
  });
});
