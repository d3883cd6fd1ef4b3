import { findService, startRedis } from '@mcp-parts/test-services';
import { createCatalog, createMethodTable, defineTool, type JsonObject } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { openRedis, type SharedRedis } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });

/** A replica whose tool takes a yes; `erased` is what it did. */
function replicaOn({ replays }: SharedRedis, erased: string[]) {
  const tool = defineTool({
    name: 'erase',
    description: 'Erases a thing.',
    input: z.strictObject({ name: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: 'things:write',
    confirm: ({ name }) => ({ message: `Erase ${name}?` }),
    async handle({ name }) {
      erased.push(name);
      return 'Gone.';
    },
  });
  const { methods } = createMethodTable(createCatalog({ tools: [tool] }), {
    confirmations: replays,
    requestStateKey: new Uint8Array(32),
  });
  return async (retry?: { answers: JsonObject; state: unknown }): Promise<JsonObject> => {
    const answer = await methods.get('tools/call')?.(
      { name: 'erase', arguments: { name: 'db' } },
      {
        caller: { id: 'issuer#ada', kind: 'user', groups: [], permissions: ['things:write'] },
        signal: new AbortController().signal,
        era: '2026',
        transport: 'http',
        correlationId: 'reference-1',
        channel: { meta: {}, capabilities: { elicitation: { form: {} } }, notify() {}, log() {}, retry },
      },
    );
    return answer ?? {};
  };
}

/** What a client brings once its person has said yes. */
function yesTo({ inputRequests, requestState }: JsonObject) {
  const yes = { action: 'accept', content: { confirm: true } };
  const answers = Object.fromEntries(Object.keys(inputRequests as JsonObject).map((key) => [key, yes]));
  return { answers, state: requestState };
}

describe.skipIf(program === undefined)('a confirmation on several replicas', () => {
  it('asked for on one, is good on another, and for one call of all that bring it at once', async () => {
    await using server = await startRedis();
    await using first = await openRedis({ url: server.url });
    await using second = await openRedis({ url: server.url });
    const erased: string[] = [];
    const one = replicaOn(first, erased);
    const other = replicaOn(second, erased);

    const yes = yesTo(await one());
    const answers = await Promise.all([other(yes), one(yes), other(yes), one(yes)]);

    expect(erased).toEqual(['db']);
    expect(answers.filter(({ isError }) => isError === true)).toHaveLength(3);
    expect(await other(yes)).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('this confirmation was used before') }],
    });
  });

  it('is worth nothing while nobody can tell whether it was used, and the client is told', async () => {
    await using server = await startRedis();
    await using redis = await openRedis({ url: server.url });
    const erased: string[] = [];
    const call = replicaOn(redis, erased);
    const yes = yesTo(await call());
    await server.kill();

    expect(await call(yes)).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('Try again') }],
    });
    expect(erased).toEqual([]);
  });
});
