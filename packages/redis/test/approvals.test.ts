import { findService, startRedis } from '@mcp-parts/test-services';
import { createCatalog, createMethodTable, defineTool, type JsonObject } from '@mcp-parts/tool-kit';
import { approvalStoreContract } from '@mcp-parts/tool-kit/testing';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { openRedis, type SharedRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });

/** A replica whose tool takes a second person; `erased` is what it did. */
function replicaOn({ replays, approvals }: SharedRedis, erased: string[]) {
  const tool = defineTool({
    name: 'erase',
    description: 'Erases a thing.',
    input: z.strictObject({ name: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: 'things:write',
    confirm: ({ name }) => ({ message: `Erase ${name}?`, secondPerson: true }),
    approval: { permission: 'things:approve' },
    async handle({ name }) {
      erased.push(name);
      return 'Gone.';
    },
  });
  const { methods } = createMethodTable(createCatalog({ tools: [tool] }), {
    confirmations: replays,
    approvals,
    requestStateKey: new Uint8Array(32),
    // Its own client would be asked, which other tests do.
    confirmationLevel: ({ tool: name }) => (name === 'erase' ? 'as_defined' : 'none'),
  });
  return async (who: string, name: string, input: JsonObject): Promise<string> => {
    const answer = await methods.get('tools/call')?.(
      { name, arguments: input },
      {
        caller: {
          id: `issuer#${who}`,
          kind: 'user',
          groups: [],
          permissions: ['things:write', 'things:approve'],
        },
        signal: new AbortController().signal,
        era: '2026',
        transport: 'http',
        correlationId: 'reference-1',
      },
    );
    return JSON.stringify(answer?.['content']);
  };
}

describe.skipIf(program === undefined)('an approval on several replicas', () => {
  it.each(approvalStoreContract)('$name', async ({ run }) => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    const keys = new Redis(server.url);
    const kept = run({
      store: first.approvals,
      replica: second.approvals,
      // Redis has a clock of its own: what ends within that time has ended.
      async wait(milliseconds) {
        const names = await keys.keys('*:approval:*');
        const left = await Promise.all(names.map((name) => keys.pttl(name)));
        const ending = names.filter((_name, index) => (left[index] ?? 0) <= milliseconds);
        await vi.waitFor(async () => expect(await keys.exists('none', ...ending)).toBe(0), {
          timeout: 10_000,
        });
      },
    });
    await expect(kept).resolves.toBeUndefined();
    keys.disconnect();
  });

  it('asked for on one, is given on another, and good for one call of all that are made at once', async () => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    const erased: string[] = [];
    const one = replicaOn(first, erased);
    const other = replicaOn(second, erased);
    const erase = (call: typeof one) => call('ada', 'erase', { name: 'db' });

    const asked = await Promise.all([erase(one), erase(other), erase(one)]);
    const [approvalId = ''] = /[\da-f]{8}-[\da-f-]{27}/u.exec(asked[0] ?? '') ?? [];
    expect(asked.filter((text) => text.includes(approvalId))).toHaveLength(3);
    expect(await other('ada', 'erase_approve', { approvalId })).toContain('somebody else has to approve it');
    expect(await other('bob', 'erase_approve', {})).toContain(approvalId);
    expect(await other('bob', 'erase_approve', { approvalId })).toContain('Approved: Erase db?');
    expect(await one('bob', 'erase_approve', {})).toContain('No call of erase waits');

    await Promise.all([erase(one), erase(other), erase(one), erase(other)]);
    expect(erased).toEqual(['db']);
  });

  it('is worth nothing while nobody can tell of it, and the caller is told', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const erased: string[] = [];
    const call = replicaOn(redis, erased);
    await server.kill();
    expect(await call('ada', 'erase', { name: 'db' })).toContain('Try again');
    expect(erased).toEqual([]);
  });
});
