import {
  definePrompt,
  defineResource,
  type PromptDefinition,
  type RegisterOptions,
  type ResourceDefinition,
} from '@mcp-parts/tool-kit';
import * as sdk2025 from '@mcp-parts/tool-kit/sdk-2025';
import * as sdk2026 from '@mcp-parts/tool-kit/sdk-2026';
import { McpServer as McpServer2025 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as McpServer2026 } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect2025, connect2026, recordingAudit, testCaller } from '../src/index.ts';
import { greet, waitTool } from './things.ts';

const serverInfo = { name: 'their-server', version: '3.0.0' };
const reader = testCaller({ permissions: ['things:read'] });

const notes: ResourceDefinition = defineResource({
  name: 'note',
  title: 'Notes',
  uriTemplate: 'note://{id}',
  description: 'A note.',
  mimeType: 'text/plain',
  parameters: z.strictObject({ id: z.string() }),
  permission: 'things:read',
  list: async (_context, cursor) =>
    cursor === undefined
      ? { resources: [{ uri: 'note://1', name: 'First' }], nextCursor: 'more' }
      : { resources: [{ uri: 'note://2', name: 'Second' }] },
  read: async ({ id }) => (id === '1' ? 'Buy milk.' : undefined),
});
const about: ResourceDefinition = defineResource({
  name: 'about',
  uriTemplate: 'about://server',
  description: 'What this is.',
  mimeType: 'text/plain',
  parameters: z.strictObject({}),
  permission: 'things:read',
  list: async () => [{ uri: 'about://server', name: 'about' }],
  read: async () => 'A server of notes.',
});
const summarise: PromptDefinition = definePrompt({
  name: 'summarise',
  title: 'Summarise',
  description: 'Asks for a summary.',
  arguments: z.strictObject({
    id: z.string().min(1).describe('Of the note.'),
    words: z.string().optional(),
  }),
  permission: 'things:read',
  render: ({ id, words }) => `Summarise note ${id} in ${words ?? 'ten'} words.`,
});
const hello: PromptDefinition = definePrompt({
  name: 'hello',
  description: 'Says hello.',
  arguments: z.strictObject({}),
  permission: 'things:read',
  render: () => 'Hello.',
});

type AnyTool = Parameters<typeof sdk2025.registerTool>[1];

/** A server that another team has, with parts of ours. */
const servers = {
  '2025': (options: RegisterOptions, tool: AnyTool = greet) => {
    const server = new McpServer2025(serverInfo);
    sdk2025.registerTool(server, tool, options);
    sdk2025.registerResource(server, notes, options);
    sdk2025.registerResource(server, about, options);
    sdk2025.registerPrompt(server, summarise, options);
    sdk2025.registerPrompt(server, hello, options);
    return connect2025(server);
  },
  '2026': (options: RegisterOptions, tool: AnyTool = greet) =>
    connect2026(() => {
      const server = new McpServer2026(serverInfo);
      sdk2026.registerTool(server, tool, options);
      sdk2026.registerResource(server, notes, options);
      sdk2026.registerResource(server, about, options);
      sdk2026.registerPrompt(server, summarise, options);
      sdk2026.registerPrompt(server, hello, options);
      return server;
    }),
};

describe.each(['2025', '2026'] as const)('single parts on an McpServer of %s', (era) => {
  const options = (caller = reader): RegisterOptions => ({ origin: () => ({ caller, transport: 'stdio' }) });

  it('list resources, every page of a family, and templates', async () => {
    await using connection = await servers[era](options());
    const { resources } = await connection.client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(['about://server', 'note://1', 'note://2']);
    const { resourceTemplates } = await connection.client.listResourceTemplates();
    expect(resourceTemplates).toMatchObject([
      { name: 'note', title: 'Notes', uriTemplate: 'note://{id}', mimeType: 'text/plain' },
    ]);
  });

  it('read them through the pipeline', async () => {
    const audit = recordingAudit();
    await using connection = await servers[era]({ ...options(), audit });
    const read = (uri: string) => connection.client.readResource({ uri });

    expect(await read('note://1')).toMatchObject({ contents: [{ uri: 'note://1', text: 'Buy milk.' }] });
    expect(await read('about://server')).toMatchObject({ contents: [{ text: 'A server of notes.' }] });
    await expect(read('note://7')).rejects.toThrow('Resource not found: note://7');
    expect(audit.calls).toMatchObject([
      { intent: { action: 'resources/read', target: 'note://1', era }, outcome: { result: 'success' } },
      { intent: { target: 'about://server' } },
      { intent: { target: 'note://7' }, outcome: { result: 'failure' } },
    ]);
  });

  it('list prompts with their arguments, and render them through the pipeline', async () => {
    const audit = recordingAudit();
    await using connection = await servers[era]({ ...options(), audit });
    const get = (name: string, sent?: Record<string, string>) =>
      connection.client.getPrompt({ name, ...(sent !== undefined && { arguments: sent }) });

    expect((await connection.client.listPrompts()).prompts[0]).toMatchObject({
      name: 'summarise',
      title: 'Summarise',
      arguments: [
        { name: 'id', description: 'Of the note.', required: true },
        { name: 'words', required: false },
      ],
    });
    expect(await get('summarise', { id: '1' })).toMatchObject({
      messages: [{ role: 'user', content: { text: 'Summarise note 1 in ten words.' } }],
    });
    expect(await get('hello')).toMatchObject({ messages: [{ content: { text: 'Hello.' } }] });
    await expect(get('summarise', { id: '' })).rejects.toThrow('Invalid arguments for summarise');
    expect(audit.calls.map(({ outcome }) => outcome?.reason)).toEqual([
      undefined,
      undefined,
      'invalid_input',
    ]);
  });

  it('are unknown to a caller who may not see them', async () => {
    await using connection = await servers[era](options(testCaller()));
    await expect(connection.client.readResource({ uri: 'note://1' })).rejects.toThrow('Resource not found');
    await expect(connection.client.getPrompt({ name: 'hello' })).rejects.toThrow('Unknown prompt');
  });

  it('keep what their limits count from one server to the next', async () => {
    const { tool, started } = waitTool();
    const shared = { ...options(), callerLimit: { concurrent: 1 } };
    await using first = await servers[era](shared, tool);
    await using second = await servers[era](shared, tool);
    const waiting = new AbortController();
    const call = first.client.callTool({ name: 'wait', arguments: {} }, { signal: waiting.signal });
    await started;

    expect(await second.client.callTool({ name: 'wait', arguments: {} })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Too many of your calls are running\./u) }],
    });
    waiting.abort();
    await expect(call).rejects.toThrow(/abort/iu);
  });
});
