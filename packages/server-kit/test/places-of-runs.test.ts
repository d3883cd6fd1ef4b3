import { localCaller } from '@mcp-parts/auth';
import { openTaskEngine, type TaskEngine } from '@mcp-parts/tasks';
import {
  createCatalog,
  createMethodTable,
  defineTool,
  type Channel,
  type JsonObject,
  type MethodTable,
  type ToolLimit,
} from '@mcp-parts/tool-kit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

const patience = { timeout: 10_000 };
const alice = localCaller({ name: 'alice', permissions: ['bake', 'approve'] });
const bob = localCaller({ name: 'bob', permissions: ['bake', 'approve'] });
const tooMany = {
  isError: true,
  content: [{ text: expect.stringContaining('Too many calls of this tool') }],
};
const accepted = { isError: undefined };

const engines: TaskEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close({ deadlineMs: 0 })));
});

/** A tool with places, whose runs end when the test says so. */
async function serve(limit: ToolLimit, secondPerson?: boolean) {
  const runs: { readonly end: () => void }[] = [];
  const bake = defineTool({
    name: 'bake',
    description: 'Bakes.',
    input: z.strictObject({ cakes: z.number(), key: z.string().optional() }),
    annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
    permission: 'bake',
    limit,
    longRunning: { idempotencyKey: ({ key }) => key },
    ...(secondPerson !== undefined && {
      confirm: ({ cakes }) => ({ message: `Bake ${cakes}?`, secondPerson }),
      approval: { permission: 'approve' },
    }),
    async handle(_input, { signal }) {
      const ended = Promise.withResolvers<string>();
      signal.addEventListener('abort', () => ended.reject(signal.reason));
      runs.push({ end: () => ended.resolve('Done.') });
      return ended.promise;
    },
  });
  const tasks = await openTaskEngine({ store: ':memory:' });
  engines.push(tasks);
  const server = createMethodTable(createCatalog({ tools: [bake] }), { tasks });
  return { server, runs };
}

interface Exchange {
  readonly caller?: typeof alice;
  readonly era?: '2025' | '2026';
  readonly channel?: Partial<Channel>;
}

async function send(
  { methods }: MethodTable,
  name: string,
  args: JsonObject,
  { caller = alice, era = '2025', channel }: Exchange = {},
): Promise<JsonObject> {
  const answer = await methods.get('tools/call')?.(
    { name, arguments: args },
    {
      caller,
      signal: new AbortController().signal,
      era,
      transport: 'http',
      correlationId: 'ref-1',
      channel: {
        meta: {},
        capabilities: { elicitation: { form: {} } },
        notify: () => undefined,
        log: () => undefined,
        ...channel,
      },
    },
  );
  return { isError: undefined, ...answer };
}

const yes = { action: 'accept', content: { confirm: true } };
const idIn = (answer: JsonObject) => /[\da-f]{8}-[\da-f-]{27}/u.exec(JSON.stringify(answer))?.[0] ?? 'none';

describe('the last place of a long-running tool', () => {
  it('is not freed by a key that is used with other arguments', async () => {
    const { server } = await serve({ concurrent: 1 });
    expect(await send(server, 'bake', { cakes: 3, key: 'birthday' })).toMatchObject(accepted);
    expect(await send(server, 'bake', { cakes: 4, key: 'birthday' })).toMatchObject({
      content: [{ text: expect.stringContaining('Use a new key') }],
    });
    expect(await send(server, 'bake', { cakes: 5 })).toMatchObject(tooMany);
  });

  it('is not asked for in vain: nobody is asked while there is none', async () => {
    const { server } = await serve({ concurrent: 1 }, false);
    const request = vi.fn<NonNullable<Channel['request']>>(async () => ({ outcome: 'result', result: yes }));
    expect(await send(server, 'bake', { cakes: 3 }, { channel: { request } })).toMatchObject(accepted);
    expect(request).toHaveBeenCalledOnce();
    expect(await send(server, 'bake', { cakes: 4 }, { channel: { request } })).toMatchObject(tooMany);
    expect(request).toHaveBeenCalledOnce();
  });

  it('is kept while a person thinks, and given back when they say no', async () => {
    const { server } = await serve({ concurrent: 1 }, false);
    const answer = Promise.withResolvers<JsonObject>();
    const request = vi.fn<NonNullable<Channel['request']>>(async () => ({
      outcome: 'result',
      result: await answer.promise,
    }));
    const first = send(server, 'bake', { cakes: 3 }, { channel: { request } });
    await vi.waitFor(() => expect(request).toHaveBeenCalledOnce(), patience);
    expect(await send(server, 'bake', { cakes: 4 }, { channel: { request } })).toMatchObject(tooMany);
    answer.resolve({ action: 'decline' });
    expect(await first).toMatchObject({
      content: [{ text: expect.stringContaining('did not confirm') }],
    });
    const sure = async () => ({ outcome: 'result', result: yes }) as const;
    expect(await send(server, 'bake', { cakes: 5 }, { channel: { request: sure } })).toMatchObject(accepted);
  });

  it('takes no yes that the client brings, and none of a second person, before it is there', async () => {
    const { server, runs } = await serve({ total: { concurrent: 1 } }, true);
    const waiting = await send(server, 'bake', { cakes: 3 });
    const approvalId = idIn(waiting);
    const channel = { request: async () => ({ outcome: 'result', result: yes }) as const };
    await send(server, 'bake_approve', { approvalId }, { caller: bob, channel });

    const other = await send(server, 'bake', { cakes: 9 }, { caller: bob });
    await send(server, 'bake_approve', { approvalId: idIn(other) }, { channel });
    expect(await send(server, 'bake', { cakes: 9 }, { caller: bob })).toMatchObject(accepted);

    expect(await send(server, 'bake', { cakes: 3 })).toMatchObject(tooMany);
    await vi.waitFor(() => expect(runs).toHaveLength(1), patience);
    runs[0]?.end();
    await vi.waitFor(
      async () => expect(await send(server, 'bake', { cakes: 3 })).toMatchObject(accepted),
      patience,
    );
  });

  it('leaves the state of 2026-07-28 good for another try', async () => {
    const { server, runs } = await serve({ total: { concurrent: 1 } }, false);
    const asked = await send(server, 'bake', { cakes: 3 }, { era: '2026' });
    expect(asked).toMatchObject({ resultType: 'input_required' });
    const [key = ''] = Object.keys(asked['inputRequests'] as JsonObject);
    const retry = { state: asked['requestState'], answers: { [key]: yes } };
    const request = async () => ({ outcome: 'result', result: yes }) as const;
    await send(server, 'bake', { cakes: 9 }, { caller: bob, channel: { request } });
    const again = () => send(server, 'bake', { cakes: 3 }, { era: '2026', channel: { retry } });
    expect(await again()).toMatchObject(tooMany);
    await vi.waitFor(() => expect(runs).toHaveLength(1), patience);
    runs[0]?.end();
    await vi.waitFor(async () => expect(await again()).toMatchObject(accepted), patience);
  });
});
