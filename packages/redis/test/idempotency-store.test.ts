import { setTimeout as sleep } from 'node:timers/promises';

import { findService, startRedis } from '@mcp-parts/test-services';
import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit';
import { idempotencyStoreContract } from '@mcp-parts/tool-kit/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { openRedis, type SharedRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });

/** A replica whose tool orders things, once it may; `onClaim` is told of each call that has asked whether it is the first. */
function replicaOn(
  { idempotency }: Pick<SharedRedis, 'idempotency'>,
  orders: string[],
  {
    mayOrder = Promise.resolve(),
    onClaim = () => {},
  }: { mayOrder?: Promise<void>; onClaim?: () => void } = {},
) {
  const tool = defineTool({
    name: 'order',
    description: 'Orders a thing.',
    input: z.strictObject({ item: z.string() }),
    annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
    permission: 'order',
    idempotent: { windowMs: 60_000 },
    async handle({ item }) {
      await mayOrder;
      orders.push(item);
      return `Order ${orders.length}`;
    },
  });
  const { methods } = createMethodTable(createCatalog({ tools: [tool] }), {
    idempotency: {
      ...idempotency,
      async claim(...call) {
        const found = await idempotency.claim(...call);
        onClaim();
        return found;
      },
    },
  });
  return (item: string) =>
    methods.get('tools/call')?.(
      { name: 'order', arguments: { item } },
      {
        caller: { id: 'issuer#ada', kind: 'user', groups: [], permissions: ['order'] },
        signal: new AbortController().signal,
        era: '2026',
        transport: 'http',
        correlationId: 'reference-1',
        channel: { meta: { 'mcp-parts/idempotency-key': 'k' }, capabilities: {}, notify() {}, log() {} },
      },
    );
}

describe.skipIf(program === undefined)('calls that may be repeated on several replicas', () => {
  // oxlint-disable-next-line vitest/expect-expect -- The contract asserts.
  it.each(idempotencyStoreContract)('$name', async ({ run }) => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    const wait = (milliseconds: number) => sleep(milliseconds + 20);
    await run({ store: first.idempotency, replica: second.idempotency, wait });
  });

  it('are made once by all who make them at once, and give all the same answer', async () => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    const orders: string[] = [];
    const all = Promise.withResolvers<void>();
    let claims = 0;
    const together = {
      mayOrder: all.promise,
      onClaim() {
        claims += 1;
        if (claims === 4) {
          all.resolve();
        }
      },
    };
    const one = replicaOn(first, orders, together);
    const other = replicaOn(second, orders, together);
    const answers = await Promise.all([one('tea'), other('tea'), one('tea'), other('tea')]);
    expect(orders).toEqual(['tea']);
    expect(answers).toMatchObject(answers.map(() => ({ content: [{ text: 'Order 1' }] })));
    expect(await other('milk')).toMatchObject({ isError: true });
  });

  it('are not made while nobody can tell whether they were, and the client is told', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const orders: string[] = [];
    const order = replicaOn(redis, orders);
    await server.kill();
    expect(await order('tea')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('Try again') }],
    });
    expect(orders).toEqual([]);
  });
});
