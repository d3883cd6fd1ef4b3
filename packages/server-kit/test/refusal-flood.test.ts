import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { AuditEvent } from '@mcp-parts/audit';
import { defineTool } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { caller, eventsIn, goodToken, startAuditedServer } from './audited-server.ts';
import { openClient } from './mcp-request.ts';

const echo = defineTool({
  name: 'echo',
  title: 'Echo',
  description: 'Says nothing.',
  input: z.strictObject({}),
  output: z.object({}),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'things:read',
  handle: () => Promise.resolve({}),
  text: () => '',
});
const definitions = { tools: [echo] };

/** How many refusals the events stand for, by reason. */
function refusalsIn(events: readonly AuditEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const event of events) {
    if (event.stage === 'outcome' && event.result !== 'success') {
      for (const [reason, count] of Object.entries(event.refusals?.reasons ?? { [event.reason ?? '']: 1 })) {
        counts[reason] = (counts[reason] ?? 0) + count;
      }
    }
  }
  return counts;
}

async function trailBytes(stateDirectory: string): Promise<number> {
  const directory = join(stateDirectory, '1', 'audit');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('a flood of requests that are refused', () => {
  it('by a stranger takes a few kilobytes, and every one of them is counted', async () => {
    const audited = await startAuditedServer({ definitions });
    const { stateDirectory } = audited;
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 25 }, async (_, index) => {
          const headers = { ...(index % 5 === 0 && { authorization: 'Bearer wrong' }) };
          const response = await fetch(audited.http.url, { method: 'POST', headers, body: '{}' });
          expect(response.status).toBe(401);
          await response.body?.cancel();
        }),
      );
    }
    expect(await trailBytes(stateDirectory)).toBeLessThan(40_000);
    await audited.http.close();
    await audited.server.close();
    expect(refusalsIn(await eventsIn(stateDirectory))).toEqual({ missing_token: 400, invalid_token: 100 });
    await audited[Symbol.asyncDispose]();
  });

  it.each(['2025', '2026'] as const)('by a caller takes no more: %s', async (era) => {
    const audited = await startAuditedServer({ definitions });
    const { stateDirectory } = audited;
    const client = await openClient(audited.http.url, era, goodToken);
    for (let index = 0; index < 100; index += 1) {
      await client.send('tools/call', { name: `made up ${index}`, arguments: {} });
    }
    expect(await trailBytes(stateDirectory)).toBeLessThan(40_000);
    await audited.http.close();
    await audited.server.close();
    const events = await eventsIn(stateDirectory);
    expect(refusalsIn(events)).toEqual({ unknown_target: 100 });
    expect(new Set(events.map(({ actor }) => actor.id))).toEqual(new Set([caller.id]));
    await audited[Symbol.asyncDispose]();
  });
});
