import { createCatalog, createMethodTable } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';

import { connect, recordingAudit, testCaller } from '../src/index.ts';
import { things, waitTool } from './things.ts';

const reader = testCaller({ permissions: ['things:read'] });
const unknown = testCaller();

describe.each(['2025', '2026'] as const)('a client of %s', (era) => {
  it('is told who it talks to and what that can do', async () => {
    await using connection = await connect(things(), { era, caller: reader, instructions: 'Be kind.' });

    expect(connection.client.getServerVersion()).toMatchObject({ name: 'test-server', version: '1.0.0' });
    expect(connection.client.getInstructions()).toBe('Be kind.');
    expect(connection.client.getServerCapabilities()).toEqual({
      tools: {},
      resources: {},
      prompts: {},
      completions: {},
      logging: {},
    });
  });

  it('lists the tools that its caller may see', async () => {
    const writer = testCaller({ permissions: ['things:read', 'things:write'] });
    const names = await Promise.all(
      [unknown, reader, writer].map(async (caller) => {
        await using connection = await connect(things(), { era, caller });
        const { tools } = await connection.client.listTools();
        return tools.map((tool) => tool.name);
      }),
    );

    expect(names).toEqual([[], ['greet'], ['greet', 'erase']]);
  });

  it('lists a tool with its schemas and annotations', async () => {
    await using connection = await connect(things(), { era, caller: reader });

    expect((await connection.client.listTools()).tools).toMatchObject([
      {
        name: 'greet',
        title: 'Greet',
        description: 'Greets a person. Returns the greeting.',
        inputSchema: { type: 'object', required: ['name', 'times'], additionalProperties: false },
        outputSchema: { type: 'object', required: ['greeting', 'times'] },
        annotations: {
          readOnlyHint: true,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: false,
        },
      },
    ]);
  });

  it('calls a tool and gets structured content and its text', async () => {
    await using connection = await connect(things(), { era, caller: reader });
    const answer = await connection.client.callTool({
      name: 'greet',
      arguments: { name: 'Ada', times: '3' },
    });

    expect(answer.content).toEqual([{ type: 'text', text: 'Hello Ada, 3 times.' }]);
    expect(answer.structuredContent).toEqual({ greeting: 'Hello Ada', times: 3 });
    expect(answer.isError ?? false).toBe(false);
  });

  it('gets an output that reports a failure with its structure', async () => {
    await using connection = await connect(things(), { era, caller: reader });

    expect(
      await connection.client.callTool({ name: 'greet', arguments: { name: 'Ada', times: '0' } }),
    ).toMatchObject({ structuredContent: { greeting: 'Hello Ada', times: 0 }, isError: true });
  });

  it.each([
    ['a failure in public words', { name: 'nobody', times: '1' }, /^There is nobody to greet/u],
    [
      'another failure as a reference',
      { name: 'secret', times: '1' },
      /^The call failed for an internal.*[0-9a-f-]{36}\.$/u,
    ],
    ['what is wrong with its arguments', { name: '', times: '1' }, /^Invalid arguments for greet\. name: /u],
  ])('reads %s', async (_what, sent, text) => {
    await using connection = await connect(things(), { era, caller: reader });
    const answer = await connection.client.callTool({ name: 'greet', arguments: sent });

    expect(answer).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(text) }] });
    expect(answer.structuredContent).toBeUndefined();
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('cannot tell a tool that it may not see from one that does not exist', async () => {
    await using connection = await connect(things(), { era, caller: reader });

    for (const name of ['erase', 'nope']) {
      await expect(connection.client.callTool({ name, arguments: {} })).rejects.toMatchObject({
        code: -32602,
        message: expect.stringMatching(new RegExp(`Unknown tool: ${name}$`, 'u')),
      });
    }
  });

  it('lists and reads resources', async () => {
    await using connection = await connect(things(), { era, caller: reader });
    const { client } = connection;

    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      { name: 'thing', uriTemplate: 'thing://{id}', mimeType: 'application/json' },
    ]);
    expect((await client.listResources()).resources).toMatchObject([{ uri: 'thing://1', name: 'thing 1' }]);
    expect((await client.readResource({ uri: 'thing://1' })).contents).toEqual([
      { uri: 'thing://1', mimeType: 'application/json', text: '{"id":"1","size":3}' },
    ]);
  });

  it('is told in the words of its era that there is no such resource', async () => {
    const code = era === '2025' ? -32002 : -32602;
    await using connection = await connect(things(), { era, caller: reader });

    for (const uri of ['thing://2', 'other://1']) {
      await expect(connection.client.readResource({ uri })).rejects.toMatchObject({
        code,
        message: expect.stringContaining(`Resource not found: ${uri}`),
        data: { uri },
      });
    }
  });

  it('lists and gets prompts', async () => {
    await using connection = await connect(things(), { era, caller: reader });
    const { client } = connection;

    expect((await client.listPrompts()).prompts).toMatchObject([
      { name: 'plan', arguments: [{ name: 'goal', description: 'What to reach', required: true }] },
    ]);
    expect((await client.getPrompt({ name: 'plan', arguments: { goal: 'peace' } })).messages).toEqual([
      { role: 'user', content: { type: 'text', text: 'Plan how to reach peace.' } },
    ]);
    await expect(client.getPrompt({ name: 'nope' })).rejects.toMatchObject({ code: -32602 });
  });

  it('completes a variable of a resource and an argument of a prompt', async () => {
    await using connection = await connect(things(), { era, caller: reader });
    const { client } = connection;

    expect(
      await client.complete({
        ref: { type: 'ref/resource', uri: 'thing://{id}' },
        argument: { name: 'id', value: '2' },
      }),
    ).toMatchObject({ completion: { values: ['2'], total: 1, hasMore: false } });
    expect(
      await client.complete({
        ref: { type: 'ref/prompt', name: 'plan' },
        argument: { name: 'goal', value: '' },
      }),
    ).toMatchObject({ completion: { values: ['peace', 'quiet'] } });
  });

  it('stops the handler when it cancels', async () => {
    const { tool, started } = waitTool();
    const audit = recordingAudit();
    const table = createMethodTable(createCatalog({ tools: [tool] }), { audit });
    await using connection = await connect(table, { era, caller: reader });
    const cancelled = new AbortController();
    const call = connection.client.callTool({ name: 'wait', arguments: {} }, { signal: cancelled.signal });
    const signal = await started;
    cancelled.abort();

    await expect(call).rejects.toThrow(/abort/iu);
    await expect.poll(() => signal.aborted).toBe(true);
    await expect.poll(() => audit.calls).toMatchObject([{ outcome: { reason: 'cancelled' } }]);
  });

  it('stops the handler when it goes away', async () => {
    const { tool, started } = waitTool();
    const table = createMethodTable(createCatalog({ tools: [tool] }));
    const connection = await connect(table, { era, caller: reader });
    const call = connection.client.callTool({ name: 'wait', arguments: {} });
    const ended = call.then(
      () => 'answered',
      () => 'rejected',
    );
    const signal = await started;
    await connection.close();

    expect(await ended).toBe('rejected');
    await expect.poll(() => signal.aborted).toBe(true);
  });

  it('is in the audit trail by name, with its era', async () => {
    const audit = recordingAudit();
    await using connection = await connect(things({ audit }), { era, caller: reader });
    await connection.client.callTool({ name: 'greet', arguments: { name: 'Ada', times: '1' } });

    expect(audit.calls).toMatchObject([
      {
        intent: {
          actor: { id: reader.id },
          action: 'tools/call',
          target: 'greet',
          era,
          client: { name: 'mcp-parts-testing', version: '1.0.0' },
        },
        outcome: { result: 'success' },
      },
    ]);
  });
});

it('lets no cache of 2026 share a list, as each caller sees another one', async () => {
  await using connection = await connect(things(), { era: '2026', caller: reader });

  expect(await connection.client.listTools()).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
});
