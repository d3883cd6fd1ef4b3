import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { echoApp, modern, post } from './mcp-requests.ts';

const MIB = 1024 ** 2;
/** More than a client may leave unread, and more than a socket takes at once. */
const SIZE = 12 * MIB;

const print = defineTool({
  name: 'print',
  description: 'Prints so many letters.',
  input: z.strictObject({ letters: z.int() }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'echo',
  handle: ({ letters }) => Promise.resolve('x'.repeat(letters)),
});

function printingApp() {
  const limits = { maxOutputBytes: 2 * SIZE, answerBytes: 2 * SIZE };
  return echoApp({ table: createMethodTable(createCatalog({ tools: [print] }), limits) });
}

const call = modern('tools/call', { name: 'print', arguments: { letters: SIZE } });
const asStream = { ...call.headers, accept: 'text/event-stream', 'x-api-key': 'ann' };

describe('a large answer that is a stream', () => {
  it('arrives whole by way of a web handler', async () => {
    await using app = disposable(printingApp());
    const answer = await post(app, call.body, asStream);
    expect((await answer.text()).length).toBeGreaterThan(SIZE);
  });

  it('arrives whole by way of a node handler, at a client that takes its time', async () => {
    await using app = disposable(printingApp());
    const server = createServer((request, response) => void app.node(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`, {
      method: 'POST',
      headers: { ...asStream, 'content-type': 'application/json' },
      body: JSON.stringify(call.body),
    });
    let length = 0;
    for await (const chunk of answer.body ?? []) {
      length += chunk.length;
      await nextTurn();
    }
    expect(length).toBeGreaterThan(SIZE);
    server.close();
  });
});

function disposable<App extends { close: () => Promise<void> }>(app: App): App & AsyncDisposable {
  return { ...app, [Symbol.asyncDispose]: () => app.close() };
}
