import { serverContract } from '@mcp-parts/testing';
import { describe, expect, it } from 'vitest';

import { talk } from './conversation.ts';

describe.each(['2025', '2026'] as const)('the server, for a client of %s', (era) => {
  it.each(serverContract)('$name', async ({ run }) => {
    const promise = run({
      connect: () => talk({ era }),
      good: { name: 'list_tickets' },
      bad: { name: 'list_tickets', arguments: { state: 'lost' } },
    });
    await expect(promise).resolves.toBeUndefined();
  });
});
