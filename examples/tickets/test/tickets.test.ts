import { readdirSync, readFileSync } from 'node:fs';

import { connect, recordingAudit, testCaller, type TestQuestion } from '@mcp-parts/testing';
import { createCatalog, createMethodTable, type JsonObject } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { connectBackend } from '../src/backend.ts';
import { createTickets } from '../src/tickets.ts';
import { startTicketsService, type TicketsService } from './tickets-service.ts';

let service: TicketsService;
beforeEach(async () => {
  service = await startTicketsService();
});
afterEach(() => service[Symbol.asyncDispose]());

const agent = testCaller({ id: 'local#agent', permissions: ['tickets:read', 'tickets:write'] });

/** A conversation with an agent who answers the questions that come up. */
async function talk(era: '2025' | '2026', onQuestion?: (question: TestQuestion) => JsonObject) {
  const backend = connectBackend({
    baseUrl: service.url,
    tokenUrl: `${service.url}/token`,
    clientId: 'tickets-server',
    clientSecret: 'a-secret-for-tests',
  });
  const audit = recordingAudit();
  const table = createMethodTable(createCatalog(createTickets(backend)), { audit });
  const connection = await connect(table, { era, caller: agent, onQuestion });
  return {
    audit,
    client: connection.client,
    call: (name: string, args: JsonObject = {}) => connection.client.callTool({ name, arguments: args }),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await backend.close();
    },
  };
}

describe.each(['2025', '2026'] as const)('tickets in %s', (era) => {
  it('are listed, created and commented on, through a service that fails now and then', async () => {
    await using conversation = await talk(era);
    service.failNext = 1;
    expect((await conversation.call('list_tickets')).structuredContent).toMatchObject({
      tickets: [{ title: 'The lift is stuck' }, { title: 'No coffee' }],
    });
    service.failNext = 1;
    const created = await conversation.call('create_ticket', { title: 'The door squeaks' });
    expect(created.structuredContent).toEqual({ id: '3', title: 'The door squeaks', state: 'open' });
    expect((await conversation.call('add_comment', { id: '3', text: 'Oil it.' })).isError).toBeFalsy();
    expect(service.tickets.size).toBe(3);
  });

  it('are closed once the person has agreed, and opened again', async () => {
    const asked: unknown[] = [];
    await using conversation = await talk(era, ({ params }) => {
      asked.push(params['message']);
      return { action: 'accept', content: { confirm: true } };
    });
    expect((await conversation.call('close_ticket', { id: '2' })).structuredContent).toMatchObject({
      state: 'closed',
    });
    expect(asked).toEqual(['Close "No coffee"?']);
    await conversation.call('reopen_ticket', { id: '2' });
    expect(service.tickets.get('2')?.state).toBe('open');
    expect(conversation.audit.calls.at(-1)).toMatchObject({
      intent: { target: 'reopen_ticket', actor: { id: 'local#agent' } },
      outcome: { result: 'success', upstreamCalls: [{ endpoint: 'tickets.reopen' }] },
    });
  });

  it.each([
    ['says no', { action: 'accept', content: { confirm: false } }],
    ['declines', { action: 'decline' }],
  ])('stay open when the person %s', async (_what, answer) => {
    await using conversation = await talk(era, () => answer);
    expect((await conversation.call('close_ticket', { id: '2' })).isError).toBe(true);
    expect(service.tickets.get('2')?.state).toBe('open');
    expect(service.requests).not.toContain('PUT /tickets/2/closed');
  });

  it('are resources and have a prompt', async () => {
    await using conversation = await talk(era);
    const { contents } = await conversation.client.readResource({ uri: 'ticket://1' });
    expect(contents).toMatchObject([{ text: expect.stringContaining('The lift is stuck') }]);
    const { messages } = await conversation.client.getPrompt({
      name: 'triage',
      arguments: { team: 'house' },
    });
    expect(messages).toMatchObject([{ content: { text: expect.stringContaining('the team house') } }]);
  });
});

/** Lines that hold code, after the same formatter. */
function linesOf(folder: URL): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => readFileSync(new URL(name, folder), 'utf8').split('\n'))
    .filter((line) => !/^\s*(?:$|\/\/|\/?\*)/u.test(line)).length;
}

it('takes no more lines than the same on the plain SDK, which retries, records and forbids nothing', () => {
  const ours = linesOf(new URL('../src/', import.meta.url));
  const plain = linesOf(new URL('../src/plain/', import.meta.url));
  expect(ours).toBeGreaterThan(100);
  expect(ours).toBeLessThanOrEqual(plain);
});
