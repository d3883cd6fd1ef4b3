import {
  createCatalog,
  createMethodTable,
  defineTool,
  PublicError,
  type JsonObject,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, recordingAudit, testCaller } from '../src/index.ts';

const ada = testCaller({ id: 'local#ada', permissions: ['things:write'] });
const bob = testCaller({ id: 'local#bob', permissions: ['things:write'] });

/** A server that makes things, of which a call can be repeated. */
function maker(
  make: (count: number) => Promise<void> = async () => undefined,
  confirm?: () => { readonly message: string } | undefined,
) {
  const keys: (string | undefined)[] = [];
  const tool = defineTool({
    name: 'make_thing',
    description: 'Makes a thing.',
    input: z.strictObject({ name: z.string(), size: z.number().default(1) }),
    output: z.object({ id: z.string() }),
    annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
    permission: 'things:write',
    idempotent: { windowMs: 60_000 },
    ...(confirm && { confirm }),
    async handle({ name }, { idempotencyKey }) {
      const count = keys.push(idempotencyKey);
      await make(count);
      return { id: `${name}-${count}` };
    },
  });
  const audit = recordingAudit();
  return { keys, audit, table: createMethodTable(createCatalog({ tools: [tool] }), { audit }) };
}

describe.each(['2025', '2026'] as const)('a tool whose calls may be repeated, in %s', (era) => {
  async function talk({ table }: ReturnType<typeof maker>, caller = ada, onQuestion?: () => JsonObject) {
    const connection = await connect(table, { era, caller, onQuestion });
    return {
      make: (args: Record<string, unknown>, key?: string) =>
        connection.client.callTool({
          name: 'make_thing',
          arguments: args,
          ...(key !== undefined && { _meta: { 'mcp-parts/idempotency-key': key } }),
        }),
      [Symbol.asyncDispose]: connection.close,
    };
  }

  it('does the same call once, and says of the answer that it is of before', async () => {
    const server = maker();
    await using client = await talk(server);
    const first = await client.make({ name: 'a', size: 2 });
    const second = await client.make({ size: 2, name: 'a' });
    expect(second.structuredContent).toEqual(first.structuredContent);
    expect(first._meta?.['mcp-parts/replayed']).toBeUndefined();
    expect(second._meta?.['mcp-parts/replayed']).toBe(true);
    expect(server.keys).toEqual([expect.stringMatching(/^[\w-]{20,}$/u)]);
    expect(server.audit.calls.map(({ outcome }) => outcome?.reason)).toEqual([undefined, 'replayed']);
  });

  it('does what differs in arguments, key or caller', async () => {
    const server = maker();
    await using client = await talk(server);
    await using other = await talk(server, bob);
    await client.make({ name: 'a' });
    await client.make({ name: 'b' });
    await client.make({ name: 'a' }, 'one');
    await client.make({ name: 'a' }, 'two');
    await other.make({ name: 'a' });
    await other.make({ name: 'a' }, 'one');
    expect(new Set(server.keys).size).toBe(6);
  });

  it('asks a person once for what is done once', async () => {
    const server = maker(undefined, () => ({ message: 'Make it?' }));
    let asked = 0;
    await using client = await talk(server, ada, () => {
      asked += 1;
      return { action: 'accept', content: { confirm: true } };
    });
    const first = await client.make({ name: 'a' });
    expect((await client.make({ name: 'a' })).structuredContent).toEqual(first.structuredContent);
    expect(asked).toBe(1);
    expect(server.keys).toHaveLength(1);
  });

  it('refuses a key that comes with other arguments', async () => {
    const server = maker();
    await using client = await talk(server);
    await client.make({ name: 'a' }, 'one');
    expect(await client.make({ name: 'b' }, 'one')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('with other arguments') }],
    });
    expect(server.keys).toHaveLength(1);
  });

  it('lets who repeats a call that runs wait for its answer', async () => {
    const gate = Promise.withResolvers<void>();
    const server = maker(() => gate.promise);
    await using client = await talk(server);
    await using again = await talk(server);
    const answers = [client.make({ name: 'a' }), again.make({ name: 'a' })];
    await expect.poll(() => server.audit.calls.length).toBe(2);
    gate.resolve();
    const [first, second] = await Promise.all(answers);
    expect(second?.structuredContent).toEqual(first?.structuredContent);
    expect(server.keys).toHaveLength(1);
  });

  it('makes a call again that has failed for a known reason, and none whose effect is not known', async () => {
    const server = maker(async (count) => {
      throw count === 1 ? new PublicError('full', 'It is full.') : new Error('who knows');
    });
    await using client = await talk(server);
    await client.make({ name: 'a' });
    await client.make({ name: 'a' });
    expect(await client.make({ name: 'a' })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Not done again/u) }],
    });
    expect(server.keys).toHaveLength(2);
  });
});
