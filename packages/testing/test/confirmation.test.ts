import {
  createCatalog,
  createMethodTable,
  defineTool,
  type CallContext,
  type Confirmation,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, recordingAudit, testCaller, type ConnectOptions, type TestQuestion } from '../src/index.ts';

const caller = testCaller({ permissions: ['things:write'] });

type Confirm = (input: { name: string }, context: CallContext) => Confirmation | undefined;

/** A server whose tool erases a thing once a person has agreed. */
function eraser(confirm: Confirm, options: MethodTableOptions = {}) {
  const erased: string[] = [];
  const tool = defineTool({
    name: 'erase_thing',
    description: 'Erases a thing.',
    input: z.strictObject({ name: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: 'things:write',
    confirm,
    async handle({ name }) {
      erased.push(name);
      return `${name} is gone.`;
    },
  });
  const audit = recordingAudit();
  return {
    erased,
    audit,
    table: createMethodTable(createCatalog({ tools: [tool] }), { audit, ...options }),
  };
}

async function erase(
  { table }: ReturnType<typeof eraser>,
  options: Pick<ConnectOptions, 'era' | 'onQuestion' | 'capabilities'>,
): Promise<unknown> {
  await using connection = await connect(table, { ...options, caller });
  const { content } = await connection.client.callTool({ name: 'erase_thing', arguments: { name: 'db' } });
  const [block] = content;
  return block?.type === 'text' ? block.text : undefined;
}

const yes = { action: 'accept', content: { confirm: true } };

describe.each(['2025', '2026'] as const)('a tool that takes a yes, in %s', (era) => {
  it('does its work once the person has agreed, and the trail has the id of that', async () => {
    const server = eraser(({ name }) => ({ message: `Erase ${name}?` }));
    const asked: TestQuestion[] = [];
    const text = await erase(server, {
      era,
      onQuestion(question) {
        expect(server.erased).toEqual([]);
        asked.push(question);
        return yes;
      },
    });
    expect(text).toBe('db is gone.');
    expect(asked).toMatchObject([{ method: 'elicitation/create', params: { message: 'Erase db?' } }]);
    expect(server.erased).toEqual(['db']);
    expect(server.audit.calls.at(-1)?.outcome).toMatchObject({
      result: 'success',
      confirmationId: expect.stringMatching(/^[\da-f-]{36}$/u),
    });
  });

  it.each([
    [
      { action: 'decline' },
      'confirmation_declined',
      /^erase_thing was not done: the person did not confirm it/u,
    ],
    [
      { action: 'accept', content: { confirm: false } },
      'confirmation_declined',
      /^erase_thing was not done/u,
    ],
    [{ action: 'cancel' }, 'confirmation_cancelled', /the person has not answered/u],
  ])('does nothing for %j, and says what was not done', async (answer, reason, words) => {
    const server = eraser(() => ({ message: 'Erase it?' }));
    expect(await erase(server, { era, onQuestion: () => answer })).toMatch(words);
    expect(server.erased).toEqual([]);
    expect(server.audit.calls.at(-1)?.outcome).toMatchObject({ result: 'failure', reason });
  });

  it('is refused to a client that cannot ask a person, also when its model could answer, and says what it takes', async () => {
    const server = eraser(() => ({ message: 'Erase it?' }));
    const refused = await erase(server, {
      era,
      capabilities: { sampling: {} },
      onQuestion: () => yes,
    }).catch((error: unknown) => (error as Error).message);
    expect(refused).toMatch(/A person has to confirm erase_thing first.*"elicitation"/u);
    expect(server.erased).toEqual([]);
  });

  it('does its work without a question where the policy takes none', async () => {
    const server = eraser(() => ({ message: 'Erase it?' }), { confirmationLevel: () => 'none' });
    expect(await erase(server, { era })).toBe('db is gone.');
    expect(server.audit.calls.at(-1)?.outcome).not.toHaveProperty('confirmationId', expect.anything());
  });

  it('does its work without a question where there is nothing to agree to', async () => {
    expect(
      await erase(
        eraser(() => undefined),
        { era },
      ),
    ).toBe('db is gone.');
  });

  it.each([
    ['db', ['db']],
    [' db ', ['db']],
    ['dbx', []],
    ['', []],
  ])('takes a name that has to be typed: "%s"', async (name, erased) => {
    const server = eraser((input) => ({ message: 'Erase it?', typedName: input.name }));
    await erase(server, { era, onQuestion: () => ({ action: 'accept', content: { name } }) });
    expect(server.erased).toEqual(erased);
  });

  it('takes a yes for the name where the policy wants no more', async () => {
    const server = eraser((input) => ({ message: 'Erase it?', typedName: input.name }), {
      confirmationLevel: () => 'confirm',
    });
    expect(await erase(server, { era, onQuestion: () => yes })).toBe('db is gone.');
  });

  it('asks again when what it acts on has changed while the person thought', async () => {
    let version = 1;
    const server = eraser(() => ({ message: 'Erase it?', version: String(version) }));
    let asked = 0;
    await erase(server, {
      era,
      onQuestion() {
        asked += 1;
        version = 2;
        return yes;
      },
    });
    expect(asked).toBe(2);
    expect(server.erased).toEqual(['db']);
  });

  it('does nothing when that keeps changing', async () => {
    let version = 1;
    const server = eraser(() => ({ message: 'Erase it?', version: String((version += 1)) }));
    const ended = await erase(server, { era, onQuestion: () => yes }).catch((error: unknown) => error);
    // Each round of the later era asks once: its client has enough first.
    expect(String(ended)).toMatch({ 2025: /keeps changing/u, 2026: /still required input/u }[era]);
    expect(server.erased).toEqual([]);
  });
});
