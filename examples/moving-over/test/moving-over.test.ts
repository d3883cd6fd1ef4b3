import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { connect, connect2026, recordingAudit, testCaller, type Connection } from '@mcp-parts/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import * as step0 from '../src/step-0-copied.ts';
import * as step1 from '../src/step-1-client.ts';
import * as step2 from '../src/step-2-tools.ts';
import * as step4 from '../src/step-4-table.ts';

const KEY = 'the-key-of-the-stock-service';
/** As data, or as the text of it. */
const HAS_STOCK = /pieces\\*":7/u;

let http: Server;
let url: string;
let items: Map<string, number>;
let failNext: number;

beforeEach(async () => {
  items = new Map([['bolt', 7]]);
  failNext = 0;
  http = createHttpServer((request, response) => {
    const item = new URL(request.url ?? '', 'http://stock').pathname.split('/')[2] ?? '';
    const pieces = items.get(item);
    if (failNext > 0) {
      failNext -= 1;
      response.writeHead(503).end();
      return;
    }
    if (request.method === 'DELETE') {
      items.delete(item);
    }
    const status = pieces === undefined ? 404 : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ pieces }));
  });
  http.listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(() => {
  http.closeAllConnections();
  http.close();
});

interface Somebody {
  readonly permissions: readonly string[];
  readonly audit: ReturnType<typeof recordingAudit>;
}

/** The server after each step, and somebody who talks to it. */
const steps: readonly ((somebody: Somebody) => Promise<Connection>)[] = [
  () => connect2026(() => step0.createServer(url, KEY)),
  () => connect2026(() => step1.createServer(url, KEY)),
  ({ permissions }) => connect2026(() => step2.createServer(url, KEY, { origin: originOf(permissions) })),
  ({ permissions, audit }) =>
    connect2026(() => step2.createServer(url, KEY, { origin: originOf(permissions), audit })),
  ({ permissions, audit }) =>
    connect(step4.createTable(url, KEY, audit), { era: '2025', caller: testCaller({ permissions }) }),
];

const originOf = (permissions: readonly string[]) => () =>
  ({ caller: testCaller({ permissions }), transport: 'http' }) as const;

/** What is promised, and since which step it holds. Before that, it must not: else the step would be for nothing. */
const promises: Readonly<
  Record<string, { readonly since: number; readonly holds: (step: number) => Promise<boolean> }>
> = {
  'a backend that fails once is asked again': {
    since: 1,
    async holds(step) {
      failNext = 1;
      const { answer } = await call(step, 'get_stock', { item: 'bolt' });
      return HAS_STOCK.test(answer);
    },
  },
  'a model is shown neither the key nor where the backend is': {
    since: 1,
    async holds(step) {
      const { answer } = await call(step, 'get_stock', { item: 'nut' });
      return !answer.includes(KEY) && !answer.includes('127.0.0.1');
    },
  },
  'a model is told what to do instead': {
    since: 1,
    async holds(step) {
      const { answer } = await call(step, 'get_stock', { item: 'nut' });
      return answer.includes('Ask the person for its number');
    },
  },
  'a misspelt argument is an error': {
    since: 2,
    async holds(step) {
      const { answer } = await call(step, 'get_stock', { item: 'bolt', wearhouse: 'north' });
      return !HAS_STOCK.test(answer);
    },
  },
  'somebody who may only read deletes nothing': {
    since: 2,
    async holds(step) {
      await call(step, 'delete_item', { item: 'bolt' }, ['stock:read']);
      return items.has('bolt');
    },
  },
  'who deleted what is on record': {
    since: 3,
    async holds(step) {
      const { audit } = await call(step, 'delete_item', { item: 'bolt' });
      return audit.calls.some(({ intent }) => intent.target === 'delete_item' && intent.resource === 'bolt');
    },
  },
  'somebody who may only read is offered nothing else': {
    since: 4,
    async holds(step) {
      await using connection = await connectTo(step, ['stock:read']);
      return (await connection.client.listTools()).tools.length === 1;
    },
  },
};

const everything = ['stock:read', 'stock:delete'];

function connectTo(
  step: number,
  permissions: readonly string[],
  audit = recordingAudit(),
): Promise<Connection> {
  const open = steps[step];
  if (open === undefined) {
    throw new Error(`there is no step ${step}`);
  }
  return open({ permissions, audit });
}

async function call(
  step: number,
  name: string,
  args: Record<string, unknown>,
  permissions: readonly string[] = everything,
) {
  const audit = recordingAudit();
  await using connection = await connectTo(step, permissions, audit);
  const answer = await connection.client.callTool({ name, arguments: args }).then(JSON.stringify, String);
  return { answer, audit };
}

describe.each(Object.entries(promises))('%s', (_promise, { since, holds }) => {
  it.each(Object.keys(steps).map(Number))(`as it should be since step ${since}: step %i`, async (step) => {
    expect(await holds(step)).toBe(step >= since);
  });
});
