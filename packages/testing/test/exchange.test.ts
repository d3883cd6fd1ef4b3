import {
  createCatalog,
  createMethodTable,
  defineTool,
  type CallContext,
  type ContentToolDefinition,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, testCaller, type ProgressReport, type TestLogMessage } from '../src/index.ts';

const caller = testCaller({ permissions: ['things:read'] });

/** A table with one tool, which does this. */
function tableOf(handle: (context: CallContext) => Promise<string>) {
  const tool: ContentToolDefinition = defineTool({
    name: 'work',
    description: 'Works.',
    input: z.strictObject({}),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'things:read',
    handle: (_input, context) => handle(context),
  });
  return createMethodTable(createCatalog({ tools: [tool] }));
}

describe.each(['2025', '2026'] as const)('a call by a client of %s', (era) => {
  it('tells how far it is to a client that has asked for that', async () => {
    const table = tableOf(({ progress }) => {
      progress(1, 3, 'Reading');
      progress(1, 3, 'Still reading');
      progress(0.5);
      progress(Number.NaN);
      progress(3, 3);
      return Promise.resolve('done');
    });
    await using connection = await connect(table, { era, caller });
    const reports: ProgressReport[] = [];

    await connection.client.callTool({ name: 'work' }, { onProgress: (report) => reports.push(report) });
    await connection.client.callTool({ name: 'work' });

    expect(reports).toEqual([
      { progress: 1, total: 3, message: 'Reading' },
      { progress: 3, total: 3 },
    ]);
  });

  it('says of many reports the newest, before its answer', async () => {
    const table = tableOf(({ progress }) => {
      for (let done = 1; done <= 1_000; done += 1) {
        progress(done);
      }
      return Promise.resolve('done');
    });
    await using connection = await connect(table, { era, caller });
    const reports: number[] = [];

    await connection.client.callTool(
      { name: 'work' },
      { onProgress: ({ progress }) => reports.push(progress) },
    );

    expect(reports).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1_000]);
  });

  it('says nothing after its answer', async () => {
    const contexts: CallContext[] = [];
    const table = tableOf((context) => {
      contexts.push(context);
      return Promise.resolve('done');
    });
    const heard: unknown[] = [];
    await using connection = await connect(table, { era, caller, onLog: (message) => heard.push(message) });

    const options = { onProgress: (report: ProgressReport) => heard.push(report) };
    await connection.client.callTool({ name: 'work' }, options);
    for (const { progress, log } of contexts) {
      progress(1);
      log('error', 'too late');
    }
    await connection.client.callTool({ name: 'work' });

    expect(heard).toEqual([]);
  });

  it('shows the person the messages of the level that the client wants', async () => {
    const table = tableOf(({ log }) => {
      log('info', 'reading');
      log('warning', { slow: 'ledger\u202e' });
      log('emergency', 7);
      return Promise.resolve('done');
    });
    const heard: TestLogMessage[] = [];
    await using wanting = await connect(table, {
      era,
      caller,
      onLog: ({ level, data }) => heard.push({ level, data }),
      logLevel: 'warning',
    });
    await wanting.client.callTool({ name: 'work' });

    expect(heard).toEqual([
      { level: 'warning', data: { slow: 'ledger' } },
      { level: 'emergency', data: 7 },
    ]);
  });

  it('does not let a handler flood its client with messages', async () => {
    const table = tableOf(({ log }) => {
      for (let line = 0; line < 1_000; line += 1) {
        log('info', line);
      }
      return Promise.resolve('done');
    });
    const heard: unknown[] = [];
    await using connection = await connect(table, { era, caller, onLog: ({ data }) => heard.push(data) });
    await connection.client.callTool({ name: 'work' });

    expect(heard.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, line) => line));
    expect(heard.length).toBeLessThan(200);
  });

  it('knows what the request carries beside its arguments', async () => {
    const table = tableOf(({ meta }) => Promise.resolve(JSON.stringify(meta)));
    await using connection = await connect(table, { era, caller });

    const _meta = { 'example.com/ticket': 'T-1' };
    expect(await connection.client.callTool({ name: 'work', _meta })).toMatchObject({
      content: [{ text: expect.stringContaining('"example.com/ticket":"T-1"') }],
    });
    expect(await connection.client.callTool({ name: 'work' })).toMatchObject({ content: [{ text: '{}' }] });
  });
});

it('takes a call for a task, where there are none, for any other call', async () => {
  await using connection = await connect(
    tableOf(() => Promise.resolve('done')),
    { era: '2025', caller },
  );
  // 2025-11-25, basic/utilities/tasks: a server without tasks MUST ignore it.
  const call = { name: 'work', task: { ttl: 1_000 } };
  expect(await connection.client.callTool(call)).toMatchObject({ content: [{ text: 'done' }] });
});
