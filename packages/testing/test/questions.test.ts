import {
  accepted,
  createCatalog,
  createMethodTable,
  definePrompt,
  defineResource,
  defineTool,
  form,
  openUrl,
  roots,
  sampling,
  type CallContext,
  type MethodTable,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, recordingAudit, testCaller, type ConnectOptions, type TestQuestion } from '../src/index.ts';

const caller = testCaller({ permissions: ['things:read'] });

/** A table with one tool that does this; it changes something. */
function tableOf(
  handle: (context: CallContext, text: string) => Promise<string>,
  options: MethodTableOptions = {},
): MethodTable {
  const tool = defineTool({
    name: 'work',
    description: 'Works.',
    input: z.strictObject({ text: z.string().default('') }),
    annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
    permission: 'things:read',
    handle: ({ text }, context) => handle(context, text),
  });
  return createMethodTable(createCatalog({ tools: [tool] }), options);
}

const brew = form(
  'How shall it be?',
  z.object({ minutes: z.int().min(1).max(10).default(3), milk: z.boolean() }),
);

/** What a client that answers so gets, and what it was asked. */
async function call(
  table: MethodTable,
  options: Pick<ConnectOptions, 'era' | 'onQuestion' | 'capabilities'>,
): Promise<{ readonly text: unknown; readonly isError: unknown; readonly asked: readonly TestQuestion[] }> {
  const asked: TestQuestion[] = [];
  const { onQuestion } = options;
  await using connection = await connect(table, {
    ...options,
    caller,
    ...(onQuestion && {
      onQuestion(question: TestQuestion) {
        asked.push(question);
        return onQuestion(question);
      },
    }),
  });
  const { content, isError } = await connection.client.callTool({ name: 'work' });
  const [block] = content;
  return { text: block?.type === 'text' ? block.text : undefined, isError, asked };
}

describe.each(['2025', '2026'] as const)('a question to a client of %s', (era) => {
  it('shows the person a form and brings back its values', async () => {
    const table = tableOf(async ({ ask }) => JSON.stringify(await ask(brew)));
    const { text, asked } = await call(table, {
      era,
      onQuestion: () => ({ action: 'accept', content: { milk: true } }),
    });

    expect(asked).toMatchObject([
      {
        method: 'elicitation/create',
        params: {
          message: 'How shall it be?',
          requestedSchema: {
            type: 'object',
            properties: {
              minutes: { type: 'integer', minimum: 1, maximum: 10, default: 3 },
              milk: { type: 'boolean' },
            },
            required: ['milk'],
          },
        },
      },
    ]);
    expect(text).toBe('{"outcome":"accepted","value":{"minutes":3,"milk":true}}');
  });

  it.each([
    ['decline', 'declined'],
    ['cancel', 'cancelled'],
  ])('has the answer %s', async (action, outcome) => {
    const table = tableOf(async ({ ask }) => (await ask(brew)).outcome);
    expect(await call(table, { era, onQuestion: () => ({ action }) })).toMatchObject({ text: outcome });
  });

  it('cannot be put to a client that does not offer it, and says so', async () => {
    const table = tableOf(async ({ ask }) =>
      JSON.stringify(await ask({ brew, page: openUrl('Pay', 'https://x.example') })),
    );
    const { text, asked } = await call(table, {
      era,
      capabilities: { elicitation: { url: {} } },
      onQuestion: () => ({ action: 'accept' }),
    });
    expect(JSON.parse(String(text))).toEqual({
      brew: { outcome: 'impossible', requiredCapabilities: { elicitation: { form: {} } } },
      page: { outcome: 'accepted' },
    });
    expect(asked).toHaveLength(1);
  });

  it('ends a call that needs a yes with what to do', async () => {
    const table = tableOf(async ({ ask }) => JSON.stringify(accepted(await ask(brew))));
    const answered = (action: string) => call(table, { era, onQuestion: () => ({ action }) });
    expect(await answered('decline')).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^The person has declined/u),
    });
    expect(await answered('cancel')).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^The question was not answered/u),
    });
  });

  it('ends a call that needs a client which can be asked, and names what that must offer', async () => {
    const table = tableOf(async ({ ask }) => JSON.stringify(accepted(await ask(brew))));
    const refusals = {
      // A result that the model reads: the revision has no error for it.
      2025: { isError: true, text: /your client does not offer "elicitation"/u },
      2026: { code: -32021, data: { requiredCapabilities: { elicitation: { form: {} } } } },
    };
    const { text, ...refusal } = { text: /^/u, ...refusals[era] };

    const refused = await call(table, { era }).catch(
      (error: unknown) => error as { readonly text?: unknown },
    );

    expect(refused).toMatchObject(refusal);
    expect(String(refused.text)).toMatch(text);
  });

  it('takes several at once, and several after one another', async () => {
    const table = tableOf(async ({ ask }) => {
      const { where, who } = await ask({
        where: roots(),
        who: sampling({ messages: [{ role: 'user', content: 'Who?' }], maxTokens: 10 }),
      });
      const name = form(`Is ${accepted(who).text} right?`, z.object({ name: z.string() }));
      const { name: given } = accepted(await ask(name));
      const again = accepted(await ask(form(`Really, ${given}?`, z.object({ sure: z.boolean() }))));
      return JSON.stringify({ where: accepted(where), given, again });
    });
    const { text, asked } = await call(table, {
      era,
      onQuestion({ method, params }) {
        if (method === 'roots/list') {
          return { roots: [{ uri: 'file:///work', name: 'work' }] };
        }
        if (method === 'sampling/createMessage') {
          return { role: 'assistant', content: { type: 'text', text: 'Ada' }, model: 'm' };
        }
        const content = params['message'] === 'Is Ada right?' ? { name: 'Ben' } : { sure: true };
        return { action: 'accept', content };
      },
    });
    expect(JSON.parse(String(text))).toEqual({
      where: [{ uri: 'file:///work', name: 'work' }],
      given: 'Ben',
      again: { sure: true },
    });
    expect(asked.map(({ method, params }) => params['message'] ?? method)).toEqual([
      'roots/list',
      'sampling/createMessage',
      'Is Ada right?',
      'Really, Ben?',
    ]);
  });

  it('is put again when the answer does not fit, up to three times', async () => {
    const table = tableOf(async ({ ask }) => JSON.stringify(accepted(await ask(brew))));
    let tries = 0;
    const second = await call(table, {
      era,
      onQuestion: () => ({ action: 'accept', content: { milk: true, minutes: (tries += 1) === 1 ? 99 : 4 } }),
    });
    expect(second.text).toBe('{"minutes":4,"milk":true}');
    expect(second.asked[1]?.params['message']).toMatch(
      /^How shall it be\?\n\nThe last answer did not fit: minutes: /u,
    );

    const never = await call(table, {
      era,
      onQuestion: () => ({ action: 'accept', content: { milk: 'yes' } }),
    });
    expect(never).toMatchObject({ isError: true, text: /does not fit\. milk: /u });
    expect(never.asked).toHaveLength(3);
  });

  it('is one call in the trail, and what stands before it is not a deed', async () => {
    const audit = recordingAudit();
    let deeds = 0;
    let drafts = 0;
    const table = tableOf(
      async ({ ask, once, correlationId }) => {
        const draft = await once('draft', () => (drafts += 1));
        accepted(await ask(brew));
        deeds += 1;
        return `${draft} ${correlationId}`;
      },
      { audit },
    );
    const { text } = await call(table, {
      era,
      onQuestion: () => ({ action: 'accept', content: { milk: false } }),
    });

    expect({ deeds, drafts }).toEqual({ deeds: 1, drafts: 1 });
    const ends = audit.calls.map(({ outcome }) => [outcome?.result, outcome?.reason]);
    expect(ends).toEqual(
      era === '2025'
        ? [['success', undefined]]
        : [
            ['failure', 'input_required'],
            ['success', undefined],
          ],
    );
    const ids = new Set(audit.calls.map(({ intent }) => intent.correlationId));
    expect([...ids]).toEqual([String(text).slice(2)]);
  });

  it('gives the client a way to cancel the call instead of answering', async () => {
    const audit = recordingAudit();
    const asked = Promise.withResolvers<void>();
    const leaving = new AbortController();
    const table = tableOf(async ({ ask }) => JSON.stringify(await ask(brew)), { audit });
    await using connection = await connect(table, {
      era,
      caller,
      onQuestion() {
        asked.resolve();
        return new Promise((_resolve, reject) => {
          leaving.signal.addEventListener('abort', () => reject(new Error('gone')));
        });
      },
    });
    const answer = connection.client.callTool({ name: 'work' }, { signal: leaving.signal });
    await asked.promise;
    leaving.abort();

    await expect(answer).rejects.toThrow(/abort|gone/u);
    await expect
      .poll(() => audit.calls.map(({ outcome }) => outcome?.reason))
      .toEqual([era === '2025' ? 'cancelled' : 'input_required']);
  });

  it('does not let the deadline run while somebody thinks', async () => {
    const table = tableOf(
      async ({ ask, deadlineAt, signal }) => {
        const { outcome } = await ask(brew);
        return `${outcome} ${signal.aborted} ${deadlineAt > 0}`;
      },
      { deadlineMs: 50 },
    );
    const { text } = await call(table, {
      era,
      onQuestion: () =>
        new Promise((resolve) => {
          setTimeout(() => resolve({ action: 'accept', content: { milk: true } }), 120);
        }),
    });
    expect(text).toBe('accepted false true');
  });

  it('leaves the handler the time that it had left', async () => {
    const table = tableOf(
      async ({ ask }) => {
        await ask(brew);
        return new Promise<never>(() => undefined);
      },
      { deadlineMs: 50 },
    );
    const { isError, text } = await call(table, {
      era,
      onQuestion: () => ({ action: 'accept', content: { milk: true } }),
    });
    expect({ isError, text }).toEqual({ isError: true, text: expect.stringContaining('took too long') });
  });

  it('is not put twice for what was done once, unless that failed', async () => {
    let tries = 0;
    const table = tableOf(async ({ ask, once }) => {
      const work = () => {
        tries += 1;
        if (tries === 1) {
          throw new Error('not yet');
        }
        return { tries };
      };
      const first = await once('work', work).catch(() => once('work', work));
      await ask(brew);
      return JSON.stringify([first, await once('work', work)]);
    });
    const { text } = await call(table, {
      era,
      onQuestion: () => ({ action: 'accept', content: { milk: true } }),
    });
    expect(text).toBe('[{"tries":2},{"tries":2}]');
  });

  it('can be asked by prompts and resources, and by nothing else', async () => {
    const question = form('For whom?', z.object({ name: z.string() }));
    const table = createMethodTable(
      createCatalog({
        prompts: [
          definePrompt({
            name: 'greet',
            description: 'Greets.',
            arguments: z.object({}),
            permission: 'things:read',
            render: async (_values, { ask }) => `Greet ${accepted(await ask(question)).name}.`,
          }),
        ],
        resources: [
          defineResource({
            name: 'note',
            description: 'A note.',
            uriTemplate: 'note://one',
            parameters: z.object({}),
            permission: 'things:read',
            list: async ({ ask }) => [{ uri: 'note://one', name: (await ask(question)).outcome }],
            read: async (_parameters, { ask }) => accepted(await ask(question)).name,
          }),
        ],
      }),
    );
    await using connection = await connect(table, {
      era,
      caller,
      onQuestion: () => ({ action: 'accept', content: { name: 'Ada' } }),
    });
    const { client } = connection;
    expect((await client.getPrompt({ name: 'greet' })).messages).toMatchObject([
      { content: { text: 'Greet Ada.' } },
    ]);
    expect((await client.readResource({ uri: 'note://one' })).contents).toMatchObject([{ text: '"Ada"' }]);
    expect((await client.listResources()).resources).toMatchObject([{ name: 'impossible' }]);
  });
});

describe('a handler of 2026 that has asked', () => {
  const options = { era: '2026', onQuestion: () => ({ action: 'accept', content: { milk: true } }) } as const;

  it('has ended there, whatever it makes of that', async () => {
    const audit = recordingAudit();
    const rounds: string[] = [];
    const table = tableOf(
      async ({ ask }) => {
        try {
          const { outcome } = await ask(brew);
          rounds.push(outcome);
          return 'answered';
        } catch {
          rounds.push('caught');
          return 'not answered';
        }
      },
      { audit },
    );
    expect(await call(table, options)).toMatchObject({ text: 'answered' });
    expect(rounds).toEqual(['caught', 'accepted']);
    expect(audit.calls[0]?.outcome).toMatchObject({ result: 'failure', reason: 'input_required' });
  });

  it('has ended there for hooks, too, which see each run', async () => {
    const seen: string[] = [];
    const table = tableOf(async ({ ask }) => (await ask(brew)).outcome, {
      hooks: [
        async (_call, next) => {
          const result = await next().catch(() => 'failed');
          seen.push(String(result));
          return result;
        },
      ],
    });
    expect(await call(table, options)).toMatchObject({ text: 'accepted' });
    expect(seen).toEqual(['failed', 'accepted']);
  });

  it('may ask for several things without waiting for each', async () => {
    const table = tableOf(async ({ ask }) => {
      const answers = await Promise.all([ask(brew), ask(form('Sugar?', z.object({ milk: z.boolean() })))]);
      return answers.map(({ outcome }) => outcome).join(' ');
    });
    const { text, asked } = await call(table, options);
    expect(text).toBe('accepted accepted');
    expect(asked).toHaveLength(2);
  });

  it('is asked no more than the client bears, and not for ever', async () => {
    let asked = 0;
    const table = tableOf(async ({ ask }) => {
      // A question that is never the same has no answer.
      asked += 1;
      return (await ask(form(`Now ${asked}?`, z.object({ milk: z.boolean() })))).outcome;
    });
    await expect(call(table, options)).rejects.toThrow(/rounds/u);
    expect(asked).toBeLessThanOrEqual(17);
  });

  it('cannot use a key twice', async () => {
    const table = tableOf(async ({ ask }) => {
      await ask({ one: brew });
      return JSON.stringify(await ask({ one: brew }));
    });
    expect(await call(table, options)).toMatchObject({
      isError: true,
      text: expect.stringMatching(/internal reason/u),
    });
  });
});
