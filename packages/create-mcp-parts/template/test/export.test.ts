import { expect, it, vi } from 'vitest';

import { talk } from './conversation.ts';

it('exports the tickets after the answer', async () => {
  await using conversation = await talk();

  const started = await conversation.call('export_tickets');

  const { taskId } = started.structuredContent as { taskId: string };
  await vi.waitFor(async () => {
    const { structuredContent } = await conversation.call('check_export', { taskId });
    expect(structuredContent).toMatchObject({
      state: 'completed',
      message: 'T-1\topen\tThe lift is stuck\nT-2\topen\tNo coffee',
    });
  });
});
