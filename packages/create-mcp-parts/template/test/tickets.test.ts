import { describe, expect, it } from 'vitest';

import { talk } from './conversation.ts';

describe.each(['2025', '2026'] as const)('tickets, for a client of %s', (era) => {
  it('are listed', async () => {
    await using conversation = await talk({ era });

    const { content, structuredContent } = await conversation.call('list_tickets', { state: 'open' });

    expect(structuredContent).toMatchObject({ tickets: [{ id: 'T-1', title: 'The lift is stuck' }, {}] });
    expect(content).toMatchObject([{ text: expect.stringContaining('T-2 (open): No coffee') }]);
  });

  it('are created, and the trail says by whom', async () => {
    await using conversation = await talk({ era });

    await conversation.call('create_ticket', { title: 'The door squeaks' });

    expect(conversation.parts.tickets.find('T-3')).toMatchObject({ title: 'The door squeaks' });
    expect(conversation.audit.calls.at(-1)).toMatchObject({
      intent: { target: 'create_ticket', actor: { displayName: 'Ada' } },
      outcome: { result: 'success' },
    });
  });

  it('are closed when the person agrees', async () => {
    await using conversation = await talk({
      era,
      onQuestion({ params }) {
        expect(params['message']).toBe('Close T-2, "No coffee"?');
        return { action: 'accept', content: { close: true } };
      },
    });

    const { structuredContent } = await conversation.call('close_ticket', { id: 'T-2' });

    expect(structuredContent).toEqual({ id: 'T-2', title: 'No coffee', state: 'closed' });
  });

  it('stay open when the person declines, and the model is told what to do', async () => {
    await using conversation = await talk({
      era,
      onQuestion: () => ({ action: 'accept', content: { close: false } }),
    });

    const { isError, content } = await conversation.call('close_ticket', { id: 'T-2' });

    expect(isError).toBe(true);
    expect(content).toMatchObject([{ text: expect.stringContaining('Leave it as it is') }]);
    expect(conversation.parts.tickets.find('T-2')?.state).toBe('open');
  });

  it('are not created by somebody who may only read', async () => {
    await using conversation = await talk({ era, permissions: ['tickets:read'] });

    const { tools } = await conversation.client.listTools();
    const call = conversation.call('create_ticket', { title: 'The door squeaks' });

    expect(tools.map(({ name }) => name)).not.toContain('create_ticket');
    await expect(call).rejects.toThrow('create_ticket');
  });

  it('are resources, and have a prompt', async () => {
    await using conversation = await talk({ era });

    const { contents } = await conversation.client.readResource({ uri: 'ticket://T-1' });
    const { messages } = await conversation.client.getPrompt({ name: 'triage', arguments: { team: 'house' } });

    expect(contents).toMatchObject([{ text: expect.stringContaining('The lift is stuck') }]);
    expect(messages).toMatchObject([{ content: { text: expect.stringContaining('the team house') } }]);
  });
});
