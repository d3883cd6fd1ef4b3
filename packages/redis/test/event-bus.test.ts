import { ok } from 'node:assert/strict';

import { findService, startRedis, startTcpProxy } from '@mcp-parts/test-services';
import type { ServerEvent } from '@mcp-parts/tool-kit';
import { eventBusContract } from '@mcp-parts/tool-kit/testing';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';

import { openRedis, type SharedRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });
const tools: ServerEvent = { kind: 'tools_list_changed' };
const updated = (number: number): ServerEvent => ({ kind: 'resource_updated', uri: `thing://${number}` });

async function until(isTrue: () => boolean): Promise<void> {
  await vi.waitFor(() => ok(isTrue()), { timeout: 15_000, interval: 10 });
}

function listen({ events }: SharedRedis): ServerEvent[] {
  const heard: ServerEvent[] = [];
  events.subscribe((event) => heard.push(event));
  return heard;
}

/** Waits until each hears the other: a reader begins at the end of the stream, once it is there. */
async function introduce(one: SharedRedis, other: SharedRedis): Promise<void> {
  for (const [speaker, hearer] of [
    [one, other],
    [other, one],
  ] as const) {
    const heard = listen(hearer);
    await until(() => {
      speaker.events.publish(updated(0));
      return heard.length > 0;
    });
    speaker.events.publish(updated(-1));
    await until(() => heard.some((event) => event.kind === 'resource_updated' && event.uri === 'thing://-1'));
  }
}

describe.skipIf(program === undefined)('events that replicas share', () => {
  it.each(eventBusContract)('$name', async ({ run }) => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    await introduce(first, second);
    await run({ bus: first.events, replica: second.events, until });
    expect.assertions(0);
  });

  it('are heard by this process while redis is gone, and by the others when it is back', async () => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    await introduce(first, second);
    const own = listen(first);
    const others = listen(second);
    await server.kill();
    await until(() => !first.isReachable());
    const events = [updated(1), updated(2), tools];
    for (const event of [...events, updated(1)]) {
      first.events.publish(event);
    }
    expect(own).toEqual([...events, updated(1)]);
    await server.restart();
    await until(() => others.length >= 3);
    // What is published twice is one hint.
    expect(others).toEqual(events);
  });

  it('are read on after a connection was lost', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.port);
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: `redis://127.0.0.1:${proxy.port}` });
    await introduce(first, second);
    const heard = listen(second);
    proxy.isRefusing = true;
    proxy.sever();
    for (let number = 1; number <= 50; number += 1) {
      first.events.publish(updated(number));
    }
    proxy.isRefusing = false;
    await until(() => heard.length >= 50);
    expect(heard).toEqual(Array.from({ length: 50 }, (_, index) => updated(index + 1)));
  });

  it('say that anything may have changed when some were lost', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.port);
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: `redis://127.0.0.1:${proxy.port}` });
    await introduce(first, second);
    const heard = listen(second);
    proxy.isRefusing = true;
    proxy.sever();
    const client = new Redis(server.url);
    await client.del('{mcp-parts}:events');
    client.disconnect();
    proxy.isRefusing = false;
    await until(() => heard.length >= 4);
    expect(heard.map(({ kind }) => kind)).toEqual([
      'tools_list_changed',
      'prompts_list_changed',
      'resources_list_changed',
      'permissions_changed',
    ]);
    first.events.publish(updated(1));
    await until(() => heard.length >= 5);
  });

  it('take a bounded place in redis, which ends by itself', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const client = new Redis(server.url);
    for (let number = 0; number < 2_500; number += 1) {
      redis.events.publish(updated(number));
    }
    await vi.waitFor(async () => {
      const [last] = await client.xrevrange('{mcp-parts}:events', '+', '-', 'COUNT', 1);
      expect(String(last)).toContain('thing://2499');
    });
    expect(await client.xlen('{mcp-parts}:events')).toBeLessThan(1_200);
    expect(await client.ttl('{mcp-parts}:events')).toBeGreaterThan(80_000);
    client.disconnect();
  });

  it('that nobody knows are passed over', async () => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    await introduce(first, second);
    const heard = listen(second);
    const client = new Redis(server.url);
    for (const event of ['{', '{"kind":"from_tomorrow"}', '[]']) {
      await client.xadd('{mcp-parts}:events', '*', 'from', 'x', 'event', event);
    }
    await client.xadd('{mcp-parts}:events', '*', 'other', 'field');
    client.disconnect();
    first.events.publish(tools);
    await until(() => heard.length > 0);
    expect(heard).toEqual([tools]);
  });
});
