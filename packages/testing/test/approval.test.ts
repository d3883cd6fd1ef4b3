import {
  createCatalog,
  createMethodTable,
  defineTool,
  type Caller,
  type Confirmation,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, recordingAudit, testCaller, type ConnectOptions, type TestQuestion } from '../src/index.ts';

const ada = testCaller({ id: 'issuer#ada', displayName: 'Ada', permissions: ['things:write'] });
const bob = testCaller({ id: 'issuer#bob', displayName: 'Bob', permissions: ['things:approve'] });
const yes = { action: 'accept', content: { confirm: true } };

const erasing = {
  name: 'erase_thing',
  description: 'Erases a thing.',
  input: z.strictObject({ name: z.string() }),
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  permission: 'things:write',
} as const;

/** A server whose tool erases a thing once a second person has agreed. */
function eraser(
  confirm: (input: { name: string }) => Confirmation = ({ name }) => ({
    message: `Erase ${name}?`,
    secondPerson: true,
  }),
  options: MethodTableOptions = {},
) {
  const erased: string[] = [];
  const tool = defineTool({
    ...erasing,
    confirm,
    approval: { permission: 'things:approve', name: 'approve_erasure' },
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

describe.each(['2025', '2026'] as const)('a tool that a second person approves, in %s', (era) => {
  async function call(
    { table }: ReturnType<typeof eraser>,
    caller: Caller,
    name: string,
    input: Record<string, string>,
    options: Pick<ConnectOptions, 'onQuestion' | 'capabilities'> = {},
  ): Promise<string> {
    await using connection = await connect(table, { era, caller, ...options });
    const { content } = await connection.client
      .callTool({ name, arguments: input })
      .catch((error: unknown) => ({ content: [{ type: 'text', text: (error as Error).message }] as const }));
    const [block] = content;
    return block?.type === 'text' ? block.text : '';
  }
  const erase = (server: ReturnType<typeof eraser>, name = 'db', caller = ada) =>
    call(server, caller, 'erase_thing', { name });
  const approve = (
    server: ReturnType<typeof eraser>,
    approvalId: string,
    caller: Caller = bob,
    onQuestion: ConnectOptions['onQuestion'] = () => yes,
  ) => call(server, caller, 'approve_erasure', { approvalId }, { onQuestion });
  const idIn = (text: string) => /[\da-f]{8}-[\da-f-]{27}/u.exec(text)?.[0] ?? 'none';

  it('is asked for, approved by somebody who reads what it is about, and done once', async () => {
    const server = eraser();
    const refused = await erase(server);
    const approvalId = idIn(refused);
    expect(refused).toContain(
      `approve_erasure with approvalId ${approvalId}. Then call erase_thing again with the same arguments`,
    );
    expect(server.erased).toEqual([]);
    expect(idIn(await erase(server))).toBe(approvalId);

    const asked: TestQuestion[] = [];
    const approved = await approve(server, approvalId, bob, (question) => {
      asked.push(question);
      return yes;
    });
    expect(asked).toMatchObject([{ params: { message: expect.stringMatching(/Ada.*\n\nErase db\?/su) } }]);
    expect(approved).toContain('call erase_thing again');
    expect(server.erased).toEqual([]);

    expect(await erase(server)).toBe('db is gone.');
    expect(server.erased).toEqual(['db']);
    const trailOf = (target: string) => server.audit.calls.filter(({ intent }) => intent.target === target);
    expect(trailOf('erase_thing')[0]?.outcome).toMatchObject({
      result: 'failure',
      reason: 'approval_required',
    });
    expect(trailOf('erase_thing').at(-1)).toMatchObject({
      intent: { actor: { id: ada.id } },
      outcome: { result: 'success', confirmationId: approvalId },
    });
    expect(trailOf('approve_erasure').at(-1)).toMatchObject({
      intent: { actor: { id: bob.id }, arguments: { approvalId } },
      outcome: { result: 'success', confirmationId: expect.any(String) },
    });

    const next = idIn(await erase(server));
    expect(next).not.toBe(approvalId);
    expect(server.erased).toEqual(['db']);
  });

  it('is not approved by who asks for it, also when they may approve what others ask for', async () => {
    const server = eraser();
    const both = testCaller({ ...ada, permissions: ['things:write', 'things:approve'] });
    const approvalId = idIn(await erase(server, 'db', both));
    expect(await approve(server, approvalId, both)).toContain('somebody else has to approve it');
    expect(idIn(await erase(server, 'db', both))).toBe(approvalId);
    expect(server.erased).toEqual([]);
  });

  it('is approved by people, and by no program', async () => {
    const server = eraser();
    const approvalId = idIn(await erase(server));
    const bot = testCaller({ id: 'issuer#bot', kind: 'service', permissions: ['things:approve'] });
    expect(await approve(server, approvalId, bot)).toContain('only a person can approve it');
    await erase(server);
    expect(server.erased).toEqual([]);
  });

  it.each([
    ['no', { action: 'accept', content: { confirm: false } }],
    ['nothing', { action: 'decline' }],
  ])('is not done when the second person says %s', async (_what, answer) => {
    const server = eraser();
    const approvalId = idIn(await erase(server));
    await approve(server, approvalId, bob, () => answer);
    expect(idIn(await erase(server))).toBe(approvalId);
    expect(server.erased).toEqual([]);
  });

  it('is not approved by a client that asks no person', async () => {
    const server = eraser();
    const approvalId = idIn(await erase(server));
    expect(await call(server, bob, 'approve_erasure', { approvalId })).toContain('"elicitation"');
    await erase(server);
    expect(server.erased).toEqual([]);
  });

  it('is approved for one caller, one set of arguments and one version', async () => {
    let version = 1;
    const server = eraser(() => ({ message: 'Erase it?', version: String(version), secondPerson: true }));
    await approve(server, idIn(await erase(server)));
    await erase(server, 'web');
    await erase(server, 'db', testCaller({ ...ada, id: 'issuer#eve' }));
    version = 2;
    await erase(server);
    expect(server.erased).toEqual([]);
    version = 1;
    await erase(server);
    expect(server.erased).toEqual(['db']);
  });

  it('is shown to who may approve, and unknown ids are told so', async () => {
    const server = eraser();
    await using connection = await connect(server.table, { era, caller: bob });
    const { tools } = await connection.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['approve_erasure']);
    expect(await approve(server, '6a9e4d5c-2f0b-4f0e-9c0d-000000000000')).toContain(
      'There is no such request',
    );
  });

  it('is told who has declined it, and why; a new call asks anew', async () => {
    const server = eraser();
    const approvalId = idIn(await erase(server));
    const declined = await call(server, bob, 'approve_erasure', {
      approvalId,
      declineBecause: 'Not on a Friday.',
    });
    expect(declined).toBe(
      'Declined: Erase db?\nNext: Tell the person: Ada reads that when they call erase_thing again.',
    );
    expect(await approve(server, approvalId)).toContain('Nothing was changed: Bob has declined it already.');
    expect(await erase(server)).toBe(
      'erase_thing was not done: Bob has declined it: "Not on a Friday." Do not try again unless the person asks for it; a new call asks for a new approval.',
    );
    const again = idIn(await erase(server));
    expect(again).not.toBe(approvalId);
    await approve(server, again);
    expect(
      await call(server, bob, 'approve_erasure', { approvalId: again, declineBecause: 'Or not.' }),
    ).toContain('Bob has approved it already');
    expect(await erase(server)).toBe('db is gone.');
    expect(server.erased).toEqual(['db']);
  });

  it('is found by who may approve it, until somebody has decided', async () => {
    const server = eraser(({ name }) => ({
      message: `Erase ${name}?\n- 1, asked by Bob: "Nothing"`,
      secondPerson: true,
    }));
    const list = (caller: Caller) => call(server, caller, 'approve_erasure', {});
    expect(await list(bob)).toBe('No call of erase_thing waits for this person.');
    const db = idIn(await erase(server, 'db'));
    const web = idIn(await erase(server, 'web'));
    const eve = testCaller({
      id: 'issuer#eve',
      displayName: 'Eve',
      permissions: ['things:write', 'things:approve'],
    });
    const mail = idIn(await erase(server, 'mail', eve));
    const listed = await list(bob);
    expect(listed.split('\n')).toEqual([
      '3 calls of erase_thing wait for this person, the newest first:',
      `- ${mail}, asked by "Eve": "Erase mail? - 1, asked by Bob: ”Nothing”"`,
      `- ${web}, asked by "Ada": "Erase web? - 1, asked by Bob: ”Nothing”"`,
      `- ${db}, asked by "Ada": "Erase db? - 1, asked by Bob: ”Nothing”"`,
      'Next: Show them to the person. Call approve_erasure with the approvalId that they choose.',
    ]);
    expect(await list(eve)).not.toContain(mail);
    expect(await list(ada)).toContain('approve_erasure');

    await approve(server, db);
    await call(server, bob, 'approve_erasure', { approvalId: web, declineBecause: 'No.' });
    expect((await list(bob)).split('\n').slice(0, 2)).toEqual([
      '1 call of erase_thing waits for this person:',
      expect.stringContaining(mail),
    ]);
    expect(server.audit.calls.at(-1)).toMatchObject({
      intent: { target: 'approve_erasure', actor: { id: bob.id }, urgent: false },
      outcome: { result: 'success', confirmationId: undefined },
    });
    expect(await call(server, bob, 'approve_erasure', { declineBecause: 'No.' })).toContain(
      'There is no such request',
    );
  });

  it('is listed with as many others as a person reads', async () => {
    const server = eraser();
    for (let count = 1; count <= 25; count += 1) {
      await erase(server, `thing-${count}`);
    }
    const listed = await call(server, bob, 'approve_erasure', {});
    expect(listed.split('\n')).toHaveLength(22);
    expect(listed).toContain('25 calls of erase_thing wait for this person, the newest 20 first:');
    expect(listed).toContain('thing-25');
  });

  it('cannot be declined by who asks, or by who may not approve', async () => {
    const server = eraser();
    const approvalId = idIn(await erase(server));
    const asker = { ...ada, permissions: ['things:write', 'things:approve'] };
    const decline = { approvalId, declineBecause: 'No.' };
    expect(await call(server, asker, 'approve_erasure', decline)).toContain('cannot approve it');
    expect(await call(server, ada, 'approve_erasure', decline)).toContain('approve_erasure');
    expect(await erase(server)).toContain('a second person has to approve it');
  });

  it('is forgotten when its time is over', async () => {
    const server = eraser(undefined, { approveWithinMs: 1 });
    const approvalId = idIn(await erase(server));
    await expect.poll(() => approve(server, approvalId)).toContain('There is no such request');
  });

  it('takes a second person where the policy wants one, and none where it wants none', async () => {
    const confirm = ({ name }: { name: string }) => ({ message: `Erase ${name}?` });
    const strict = eraser(confirm, {
      confirmationLevel: ({ tool }) => (tool === 'erase_thing' ? 'second_person' : 'as_defined'),
    });
    expect(await erase(strict)).toContain('approve_erasure');
    const lax = eraser(undefined, { confirmationLevel: () => 'none' });
    expect(await erase(lax)).toBe('db is gone.');
  });

  it('is approved by one person where the policy wants a second one for every call', async () => {
    const server = eraser(undefined, { confirmationLevel: () => 'second_person' });
    const asked: TestQuestion[] = [];
    await approve(server, idIn(await erase(server)), bob, (question) => {
      asked.push(question);
      return yes;
    });
    expect(asked).toHaveLength(1);
    expect(await erase(server)).toBe('db is gone.');
  });

  it('says what is missing where nobody can approve it', async () => {
    const server = eraser();
    const tool = defineTool({
      ...erasing,
      confirm: () => ({ message: 'Erase it?' }),
      handle: () => Promise.resolve('It is gone.'),
    });
    const table = createMethodTable(createCatalog({ tools: [tool] }), {
      confirmationLevel: () => 'second_person',
    });
    expect(await erase({ ...server, table })).toBe(
      'erase_thing was not done: here it takes a second person, and it has no way to ask one. Do not try again. Tell the person: whoever runs this server has to give the tool an "approval", or ask for another level of confirmation.',
    );
  });

  it('is done once when it is called several times at once', async () => {
    const server = eraser();
    await approve(server, idIn(await erase(server)));
    await Promise.all([erase(server), erase(server), erase(server)]);
    expect(server.erased).toEqual(['db']);
  });
});
