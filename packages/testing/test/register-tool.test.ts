import {
  accepted,
  defineTool,
  form,
  imageContent,
  type ContentToolDefinition,
  type RegisterOptions,
  type ToolDefinition,
} from '@mcp-parts/tool-kit';
import { registerTool as registerTool2025 } from '@mcp-parts/tool-kit/sdk-2025';
import { registerTool as registerTool2026 } from '@mcp-parts/tool-kit/sdk-2026';
import { Client } from '@modelcontextprotocol/client';
import { McpServer as McpServer2025 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { InMemoryTransport, McpServer as McpServer2026 } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import {
  connect,
  connect2025,
  connect2026,
  recordingAudit,
  testCaller,
  type ClientOptions,
} from '../src/index.ts';
import { greet, things, waitTool } from './things.ts';

const serverInfo = { name: 'their-server', version: '3.0.0' };
const reader = testCaller({ permissions: ['things:read'] });
const fromReader: RegisterOptions = { origin: () => ({ caller: reader, transport: 'stdio' }) };

type AnyTool = ToolDefinition | ContentToolDefinition;

/** A server that another team has, with one tool of its own. */
const servers = {
  '2025': (options: RegisterOptions, tool: AnyTool = greet, client: ClientOptions = {}) => {
    const server = new McpServer2025(serverInfo);
    server.registerTool('theirs', {}, () => ({ content: [{ type: 'text', text: 'Theirs.' }] }));
    registerTool2025(server, tool, options);
    return connect2025(server, client);
  },
  '2026': (options: RegisterOptions, tool: AnyTool = greet, client: ClientOptions = {}) =>
    connect2026(() => {
      const server = new McpServer2026(serverInfo);
      server.registerTool('theirs', {}, () => ({ content: [{ type: 'text', text: 'Theirs.' }] }));
      registerTool2026(server, tool, options);
      return server;
    }, client),
};

const order = defineTool({
  name: 'order',
  description: 'Orders tea.',
  input: z.strictObject({}),
  output: z.object({ cups: z.int() }),
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  permission: 'things:read',
  async handle(_input, { ask, progress }) {
    const answer = accepted(await ask(form('How many?', z.object({ cups: z.int() }))));
    progress(1, 1, 'Ordered');
    return answer;
  },
  text: ({ cups }) => `${cups} cups.`,
});

describe.each(['2025', '2026'] as const)('registerTool on an McpServer of %s', (era) => {
  it('adds the tool to those that are there', async () => {
    await using connection = await servers[era](fromReader);
    const { tools } = await connection.client.listTools();

    expect(tools.map((tool) => tool.name)).toEqual(['theirs', 'greet']);
    expect(await connection.client.callTool({ name: 'theirs', arguments: {} })).toMatchObject({
      content: [{ text: 'Theirs.' }],
    });
  });

  it('lets it ask its client and tell how far it is', async () => {
    const client = { onQuestion: () => ({ action: 'accept', content: { cups: 2 } }) };
    const heard: unknown[] = [];
    await using connection = await servers[era](fromReader, order, client);
    const options = {
      onProgress: ({ message }: { readonly message?: string | undefined }) => heard.push(message),
    };
    const answer = await connection.client.callTool({ name: 'order', arguments: {} }, options);

    expect(answer).toMatchObject({ structuredContent: { cups: 2 }, content: [{ text: '2 cups.' }] });
    expect(heard).toContain('Ordered');
  });

  it('lists it as a catalog would', async () => {
    await using theirs = await servers[era](fromReader);
    await using ours = await connect(things(), { era, caller: reader });
    const { inputSchema, outputSchema, annotations, title, description } =
      (await ours.client.listTools()).tools[0] ?? {};

    expect((await theirs.client.listTools()).tools[1]).toMatchObject({
      title,
      description,
      inputSchema,
      annotations,
      outputSchema: { type: 'object', required: outputSchema?.['required'] },
    });
  });

  it('runs its calls through the pipeline, and parses the arguments once', async () => {
    const audit = recordingAudit();
    await using connection = await servers[era]({ ...fromReader, audit });
    const answer = await connection.client.callTool({
      name: 'greet',
      arguments: { name: 'Ada', times: '3' },
    });

    expect(answer).toMatchObject({
      structuredContent: { greeting: 'Hello Ada', times: 3 },
      content: [{ text: 'Hello Ada, 3 times.' }],
    });
    expect(audit.calls).toMatchObject([{ intent: { target: 'greet', era }, outcome: { result: 'success' } }]);
  });

  it('adds a tool that answers with content alone', async () => {
    const draw = defineTool({
      name: 'draw',
      description: 'Draws.',
      input: z.strictObject({}),
      annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
      permission: 'things:read',
      handle: () => Promise.resolve(['Drawn:', imageContent(Uint8Array.of(1, 2, 3), 'image/png')]),
    });
    await using connection = await servers[era](fromReader, draw);

    expect((await connection.client.listTools()).tools[1]?.outputSchema).toBeUndefined();
    expect((await connection.client.callTool({ name: 'draw', arguments: {} })).content).toEqual([
      { type: 'text', text: 'Drawn:' },
      { type: 'image', data: 'AQID', mimeType: 'image/png' },
    ]);
  });

  it('explains and records an invalid input', async () => {
    const audit = recordingAudit();
    await using connection = await servers[era]({ ...fromReader, audit });
    const answer = await connection.client.callTool({ name: 'greet', arguments: { nmae: 'Ada' } });

    expect(answer).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Invalid arguments for greet\./u) }],
    });
    expect(audit.calls).toMatchObject([{ outcome: { reason: 'invalid_input' } }]);
  });

  it('gives an internal failure as a reference only', async () => {
    await using connection = await servers[era](fromReader);
    const answer = await connection.client.callTool({
      name: 'greet',
      arguments: { name: 'secret', times: '1' },
    });

    expect(answer.isError).toBe(true);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('is an unknown tool for a caller who may not see it', async () => {
    const caller = testCaller();
    await using connection = await servers[era]({ origin: () => ({ caller, transport: 'stdio' }) });

    expect(await connection.client.callTool({ name: 'greet', arguments: {} })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('Unknown tool: greet') }],
    });
  });

  it('tells the log, not the client, when nobody knows where a request comes from', async () => {
    const logged: object[] = [];
    const ignore = () => undefined;
    await using connection = await servers[era]({
      origin: () => {
        throw new Error('hunter2');
      },
      logger: { debug: ignore, info: ignore, warn: ignore, error: (fields) => void logged.push(fields) },
    });
    const answer = await connection.client.callTool({ name: 'greet', arguments: {} });

    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(logged).toMatchObject([{ err: { message: 'hunter2' } }]);
  });

  it('hands the cancellation of the client to the handler', async () => {
    const { tool, started } = waitTool();
    await using connection = await servers[era](fromReader, tool);
    const cancelled = new AbortController();
    const call = connection.client.callTool({ name: 'wait', arguments: {} }, { signal: cancelled.signal });
    const signal = await started;
    cancelled.abort();

    await expect(call).rejects.toThrow(/abort/iu);
    await expect.poll(() => signal.aborted).toBe(true);
  });
});

it('lets a tool on an McpServer of 2.x ask a client of 2025, too', async () => {
  const server = new McpServer2026(serverInfo);
  registerTool2026(server, order, fromReader);
  const client = new Client(
    { name: 'older', version: '1.0.0' },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode: 'legacy' } },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { cups: 3 } }));
  const [clientEnd, serverEnd] = InMemoryTransport.createLinkedPair();
  await server.connect(serverEnd);
  await client.connect(clientEnd);

  expect(await client.callTool({ name: 'order', arguments: {} })).toMatchObject({
    structuredContent: { cups: 3 },
  });
  await client.close();
});
