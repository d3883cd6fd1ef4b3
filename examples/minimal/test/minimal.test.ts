import { fileURLToPath } from 'node:url';

import { connect, testCaller } from '@mcp-parts/testing';
import { createCatalog, createMethodTable } from '@mcp-parts/tool-kit';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, it } from 'vitest';

import { rollDice } from '../src/roll-dice.ts';

describe.each(['2025', '2026'] as const)('the dice in %s', (era) => {
  const table = createMethodTable(createCatalog({ tools: [rollDice] }));
  const player = testCaller({ permissions: ['dice:roll'] });

  it('show as many numbers as were asked for', async () => {
    await using connection = await connect(table, { era, caller: player });
    const answer = await connection.client.callTool({ name: 'roll_dice', arguments: { count: 3 } });
    expect(answer.structuredContent).toEqual({
      dice: [expect.any(Number), expect.any(Number), expect.any(Number)],
      sum: expect.any(Number),
    });
  });

  it('are ten at most', async () => {
    await using connection = await connect(table, { era, caller: player });
    const answer = await connection.client.callTool({ name: 'roll_dice', arguments: { count: 11 } });
    expect(answer.isError).toBe(true);
  });

  it('are not there for somebody who may not roll them', async () => {
    await using connection = await connect(table, { era, caller: testCaller() });
    expect((await connection.client.listTools()).tools).toEqual([]);
  });
});

// The sources say `using`, which Node 22 has not.
it.runIf(Number.parseInt(process.versions.node, 10) >= 24)(
  'is a server that a client can start',
  async () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const client = new Client({ name: 'somebody', version: '1.0.0' });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: ['--conditions=@mcp-parts/source', main],
        stderr: 'ignore',
      }),
    );
    const answer = await client.callTool({ name: 'roll_dice', arguments: {} });
    expect(answer.content).toMatchObject([{ text: expect.stringMatching(/^The dice show [1-6]: /u) }]);
    await client.close();
  },
);
