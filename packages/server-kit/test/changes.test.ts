import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { localCaller } from '@mcp-parts/auth';
import {
  createCatalog,
  createEventBus,
  createMethodTable,
  type Caller,
  type CatalogChange,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { createMcpApp } from '../src/endpoint.ts';
import { changingDefinitions } from './changing-parts.ts';
import { listenAs, type ListeningClient, type Place } from './listening-client.ts';
import { echoApp, echoTable, openSession, openStream } from './mcp-requests.ts';

const fixture = fileURLToPath(new URL('changing.fixture.ts', import.meta.url));
// The fixture and the sources say `using`, which Node 22 has not.
const canRunSources = Number.parseInt(process.versions.node, 10) >= 24;

const closers: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) {
    await close();
  }
});

/** A server over HTTP whose callers are who their key says, with rights that a test can change. */
async function startHttp(options: MethodTableOptions = {}) {
  const events = createEventBus();
  const catalog = createCatalog(
    changingDefinitions((change: CatalogChange) => catalog.change(change), events),
  );
  const table = createMethodTable(catalog, { events, changeWindowMs: 50, ...options });
  const rights = new Map<string, Partial<Caller>>();
  const callerOf = (name: string): Caller => ({
    ...localCaller({ name, permissions: ['read'] }),
    ...rights.get(name),
  });
  const app = createMcpApp(table, {
    serverInfo: { name: 'changing', version: '1.0.0' },
    authenticate: ({ headers }) => callerOf(String(headers['x-api-key'])),
    maxStreamsPerCaller: 200,
  });
  const server = createServer((request, response) => void app.node(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  closers.push(async () => {
    await app.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${port}/mcp`;
  const join = async (era: '2025' | '2026', key: string): Promise<ListeningClient> => {
    const before = app.open().streams;
    const client = await listenAs(era, { url, key });
    closers.push(() => client[Symbol.asyncDispose]());
    // The client of 1.x opens its stream when it likes.
    await vi.waitFor(() => expect(app.open().streams).toBeGreaterThan(before));
    return client;
  };
  return { app, events, catalog, table, rights, callerOf, join };
}

async function startStdio(era: '2025' | '2026'): Promise<ListeningClient> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-changing-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const place: Place = { args: ['--conditions=@mcp-parts/source', fixture, folder] };
  const client = await listenAs(era, place);
  closers.push(() => client[Symbol.asyncDispose]());
  return client;
}

const opened = {
  http: async (era: '2025' | '2026') => (await startHttp()).join(era, 'ann'),
  stdio: startStdio,
};

const cases = (['http', 'stdio'] as const).flatMap((over) =>
  (['2025', '2026'] as const).map((era) => ({ over, era })),
);
const updated = (uri: string) => ({ publish: [{ kind: 'resource_updated', uri }] });

describe.each(cases.filter(({ over }) => over === 'http' || canRunSources))(
  'a client of $era over $over',
  ({ over, era }) => {
    it('hears that a tool goes and comes, and finds the list so', async () => {
      const client = await opened[over](era);
      await expect(client.tools()).resolves.toEqual(['first', 'change']);

      await client.call('change', { disable: { tools: ['first'] }, add: ['second'] });
      await vi.waitFor(() => expect(client.heard).toEqual(['tools']));
      await expect(client.tools()).resolves.toEqual(['change', 'second']);
      await expect(client.call('second')).resolves.toMatchObject({ content: [{ text: 'second' }] });
      await expect(client.call('first')).rejects.toThrow('Unknown tool: first');

      await client.call('change', { enable: { tools: ['first'] }, remove: { tools: ['second'] } });
      await vi.waitFor(() => expect(client.heard).toEqual(['tools', 'tools']));
      await expect(client.tools()).resolves.toEqual(['first', 'change']);
      await expect(client.call('second')).rejects.toThrow('Unknown tool: second');
    });

    it('hears of the resources that it watches until it stops, and of nobody else’s', async () => {
      const client = await opened[over](era);
      await client.tools();
      await expect(client.watch('note://ann/1')).resolves.toBe(true);
      await expect(client.watch('note://ann/2')).resolves.toBe(true);
      await expect(client.watch('note://bob/1')).resolves.toBe(false);
      await expect(client.watch('nothing://here')).resolves.toBe(false);

      await client.call('change', updated('note://ann/1'));
      await vi.waitFor(() => expect(client.heard).toEqual(['note://ann/1']));

      await client.unwatch('note://ann/1');
      await client.call('change', updated('note://bob/1'));
      await client.call('change', updated('note://ann/1'));
      await client.call('change', updated('note://ann/2'));
      await vi.waitFor(() => expect(client.heard).toEqual(['note://ann/1', 'note://ann/2']));
    });

    it('does not hear of what it may not see', async () => {
      const client = await opened[over](era);
      await client.tools();
      await client.call('change', { disable: { tools: ['secret'] } });
      await client.call('change', { publish: [{ kind: 'prompts_list_changed' }] });
      await vi.waitFor(() => expect(client.heard).toEqual(['prompts']));
    });

    it('hears once of much that happens at once', async () => {
      const client = await opened[over](era);
      await client.watch('note://ann/1');
      const storm = Array.from({ length: 500 }, () => [
        { kind: 'tools_list_changed' },
        { kind: 'resource_updated', uri: 'note://ann/1' },
        { kind: 'from a newer version' },
      ]).flat();
      await client.call('change', { publish: storm });
      await vi.waitFor(() => expect(client.heard.toSorted()).toEqual(['note://ann/1', 'tools']));
      await client.call('change', { publish: [{ kind: 'prompts_list_changed' }] });
      await vi.waitFor(() => expect(client.heard).toHaveLength(3));
    });
  },
);

describe.each(['2025', '2026'] as const)('a client of %s over HTTP', (era) => {
  it('hears when its next request shows that it may do more', async () => {
    const { join, rights, callerOf } = await startHttp({
      renewCaller: (caller) => Promise.resolve({ ...caller, ...callerOf('ann') }),
    });
    const groupsAsOf = 1;
    rights.set('ann', { groups: [], groupsAsOf });
    const client = await join(era, 'ann');
    await expect(client.tools()).resolves.toEqual(['first', 'change']);
    rights.set('ann', { groups: ['secret'], groupsAsOf: 2, permissions: ['read', 'secret'] });
    await expect(client.tools()).resolves.toEqual(['first', 'change', 'secret']);
    await vi.waitFor(() => expect(client.heard).toEqual(['tools']));
  });

  it('hears when the policy changes, and of what it may no longer read nothing more', async () => {
    const granted = new Set(['local#ann', 'local#bob']);
    const { join, events, callerOf } = await startHttp({
      authorizer: {
        decide: ({ id }) =>
          granted.has(id)
            ? { allowed: true, rule: 'test' }
            : { allowed: false, reason: 'missing_permission' },
      },
      renewCaller: (caller) =>
        Promise.resolve({ ...caller, ...callerOf('ann'), id: caller.id, permissions: ['read', 'secret'] }),
    });
    const client = await join(era, 'ann');
    await client.tools();
    await expect(client.watch('note://ann/1')).resolves.toBe(true);
    events.publish({ kind: 'permissions_changed' });
    await vi.waitFor(() => expect(client.heard).toEqual(['tools']));

    granted.delete('local#ann');
    events.publish({ kind: 'resource_updated', uri: 'note://ann/1' });
    events.publish({ kind: 'prompts_list_changed' });
    await vi.waitFor(() => expect(client.heard).toEqual(['tools', 'prompts']));
    granted.add('local#ann');
    events.publish({ kind: 'resource_updated', uri: 'note://ann/1' });
    await vi.waitFor(() => expect(client.heard).toEqual(['tools', 'prompts', 'note://ann/1']));
  });

  it('hears of a resource only if it is one of those whom the event is for', async () => {
    const { join, events } = await startHttp();
    const client = await join(era, 'ann');
    await client.watch('note://ann/1');
    events.publish({ kind: 'resource_updated', uri: 'note://ann/1', callerIds: ['local#bob'] });
    events.publish({ kind: 'prompts_list_changed' });
    await vi.waitFor(() => expect(client.heard).toEqual(['prompts']));
    events.publish({ kind: 'resource_updated', uri: 'note://ann/1', callerIds: ['local#bob', 'local#ann'] });
    await vi.waitFor(() => expect(client.heard).toEqual(['prompts', 'note://ann/1']));
  });

  it('may watch only so many resources', async () => {
    const { join } = await startHttp({ maxWatchedResources: 1 });
    const client = await join(era, 'ann');
    await expect(client.watch('note://ann/1')).resolves.toBe(true);
    // In 2026-07-28, each subscription has its own share, as each is a stream that counts.
    await expect(client.watch('note://ann/2')).resolves.toBe(era === '2026');
  });

  it('leaves nothing behind when it goes', async () => {
    const { app, table, join } = await startHttp();
    const client = await join(era, 'ann');
    await client.tools();
    await client.watch('note://ann/1');
    expect(table.changes?.count()).toBeGreaterThan(0);
    await client[Symbol.asyncDispose]();
    await vi.waitFor(() => expect([table.changes?.count(), app.open().streams]).toEqual([0, 0]));
  });
});

describe('a session of the 2025 era', () => {
  it('whose client listens again at another process is told to look at its lists', async () => {
    const sessionKey = randomBytes(32);
    const start = () => {
      const app = echoApp({ sessionKey, table: echoTable({}, { events: createEventBus() }) });
      closers.push(() => app.close());
      return app;
    };
    const session = await openSession(start());
    const stream = await openStream(start(), session);
    for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      if (chunk.includes('notifications/tools/list_changed')) {
        return;
      }
    }
    expect.fail('the stream ended without a word');
  });
});
