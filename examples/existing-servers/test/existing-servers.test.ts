import { connect2025, connect2026, recordingAudit, testCaller } from '@mcp-parts/testing';
import type { RegisterOptions } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';

import { createServer as createServer1 } from '../src/sdk-1.ts';
import { createServer as createServer2 } from '../src/sdk-2.ts';

const servers = {
  '1.x': (words: Set<string>, options: RegisterOptions) => connect2025(createServer1(words, options)),
  '2.x': (words: Set<string>, options: RegisterOptions) => connect2026(() => createServer2(words, options)),
} as const;

/** Whoever the server's own authentication says is calling. */
const calledBy = (permissions: readonly string[]): Pick<RegisterOptions, 'origin'> => ({
  origin: () => ({ caller: testCaller({ permissions: [...permissions] }), transport: 'http' }),
});

describe.each(['1.x', '2.x'] as const)('a server of the %s SDK', (sdk) => {
  it('keeps its own tools', async () => {
    await using connection = await servers[sdk](new Set(['a', 'b']), calledBy([]));
    const answer = await connection.client.callTool({ name: 'count_words', arguments: {} });
    expect(answer.content).toMatchObject([{ text: '2 words' }]);
  });

  it('deletes for an editor, on the record', async () => {
    const words = new Set(['good', 'bad']);
    const audit = recordingAudit();
    await using connection = await servers[sdk](words, { ...calledBy(['words:delete']), audit });

    await connection.client.callTool({ name: 'delete_word', arguments: { word: 'bad' } });

    expect([...words]).toEqual(['good']);
    expect(audit.calls).toMatchObject([
      { intent: { target: 'delete_word', resource: 'bad' }, outcome: { result: 'success' } },
    ]);
  });

  it('deletes for nobody else, and says so', async () => {
    const words = new Set(['good']);
    await using connection = await servers[sdk](words, calledBy([]));

    const answer = await connection.client
      .callTool({ name: 'delete_word', arguments: { word: 'good' } })
      .catch((error: unknown) => ({ message: String(error) }));

    expect(words.size).toBe(1);
    expect(JSON.stringify(answer, ['code', 'message', 'content', 'text'])).toMatch(
      /permission|Unknown tool/u,
    );
  });

  it('does not delete what it cannot record', async () => {
    const words = new Set(['good']);
    const audit = { begin: () => Promise.reject(new Error('the disk is full')) };
    await using connection = await servers[sdk](words, { ...calledBy(['words:delete']), audit });

    const answer = await connection.client.callTool({ name: 'delete_word', arguments: { word: 'good' } });

    expect(answer.isError).toBe(true);
    expect(words.size).toBe(1);
  });
});
