import {
  Client as Client2026,
  StreamableHTTPClientTransport as Http2026,
} from '@modelcontextprotocol/client';
import { Client as Client2025 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http2025 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { createDefinitions } from '../src/definitions.ts';
import { serveOpenly, type OpenServer } from '../src/serve.ts';
import { recordWire, type RecordedWire } from './recorded-wire.ts';
import { silent } from './silent.ts';
import { revisions, type Revision } from './suite.ts';
import { violationsOf } from './wire-judge.ts';

let server: OpenServer;
beforeAll(async () => {
  server = await serveOpenly(createDefinitions, { port: 0, logger: silent });
});
afterAll(() => server[Symbol.asyncDispose]());

const info = { name: 'somebody', version: '1.0.0' };
const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };

/** Somebody who answers whatever is asked. */
const answers = {
  form: ({ params }: { readonly params: object }) => ({
    action: 'accept' as const,
    content: {
      ...('requestedSchema' in params && filledIn(params.requestedSchema)),
    },
  }),
  sampling: () => ({
    role: 'assistant' as const,
    model: 'a-model',
    content: { type: 'text' as const, text: 'Paris.' },
  }),
  roots: () => ({ roots: [{ uri: 'file:///home/somebody/project', name: 'project' }] }),
};

const formSchema = z.object({ properties: z.record(z.string(), z.object({ type: z.string() })) });

function filledIn(schema: unknown): Record<string, string | boolean> {
  const { properties } = formSchema.parse(schema);
  const texts = Object.entries(properties).filter(([, { type }]) => type === 'string');
  return Object.keys(properties).includes('ok')
    ? { ok: true }
    : Object.fromEntries(texts.map(([name]) => [name, ANSWERS[name] ?? 'something']));
}

/** What a choice takes. */
const ANSWERS: Readonly<Record<string, string>> = {
  status: 'active',
  untitledSingle: 'option1',
  titledSingle: 'value1',
  legacyEnum: 'opt1',
};

async function connect(revision: Revision, wire: RecordedWire): Promise<Client2025 | Client2026> {
  const url = new URL(server.url);
  if (revision === '2025-11-25') {
    const client = new Client2025(info, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, answers.form);
    client.setRequestHandler(CreateMessageRequestSchema, answers.sampling);
    client.setRequestHandler(ListRootsRequestSchema, answers.roots);
    await client.connect(new Http2025(url, { fetch: wire.fetch }));
    return client;
  }
  const client = new Client2026(info, { capabilities, versionNegotiation: { mode: { pin: revision } } });
  client.setRequestHandler('elicitation/create', answers.form);
  client.setRequestHandler('sampling/createMessage', answers.sampling);
  client.setRequestHandler('roots/list', answers.roots);
  await client.connect(new Http2026(url, { fetch: wire.fetch }));
  return client;
}

/** Arguments of the tools that need some. */
const argumentsOf: Readonly<Record<string, Record<string, unknown>>> = {
  json_schema_2020_12_tool: { contactMethod: 'phone', phone: '1' },
  test_header_parameter: { region: 'eu' },
  test_elicitation: { message: 'What do you say?' },
  test_sampling: { prompt: 'What is the capital of France?' },
};

/** Called as a task only, which these clients know nothing of. */
const TASK_ONLY = 'failing_job';

/** Asks for everything, and for what is not there. Faults are answers too. */
async function talk(client: Client2025 | Client2026): Promise<void> {
  const { tools } = await client.listTools();
  for (const { name } of tools.filter((tool) => tool.name !== TASK_ONLY)) {
    await callTool(client, name, argumentsOf[name] ?? {});
    await callTool(client, name, { nobody: 'knows this' });
  }
  for (const { uri } of (await client.listResources()).resources) {
    await client.readResource({ uri });
  }
  await client.listResourceTemplates();
  for (const { name, arguments: names = [] } of (await client.listPrompts()).prompts) {
    const values = Object.fromEntries(names.map((argument) => [argument.name, 'test://static-text']));
    await client.getPrompt({ name, arguments: values });
  }
  await client.complete({
    ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
    argument: { name: 'arg1', value: 'par' },
  });
  await hearOfChanges(client);
  const refused = await Promise.allSettled([
    callTool(client, 'no_such_tool', {}),
    callTool(client, TASK_ONLY, {}),
    client.readResource({ uri: 'test://no-such-resource' }),
    client.getPrompt({ name: 'no_such_prompt' }),
    client.getPrompt({ name: 'test_prompt_with_arguments', arguments: {} }),
    client.listTools({ cursor: 'nobody gave me this' }),
  ]);
  expect(refused.map(({ status }) => status)).toEqual(Array.from(refused, () => 'rejected'));
}

/** Has a list and a resource changed, and waits until both were told. */
async function hearOfChanges(client: Client2025 | Client2026): Promise<void> {
  const heard = new Set<string>();
  client.fallbackNotificationHandler = async ({ method }) => void heard.add(method);
  const uri = 'test://watched-resource';
  await (client instanceof Client2025
    ? client.subscribeResource({ uri })
    : client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] }));
  await callTool(client, 'test_trigger_tool_change', {});
  await callTool(client, 'test_update_resource', {});
  await vi.waitFor(() =>
    expect([...heard]).toEqual(
      expect.arrayContaining(['notifications/resources/updated', 'notifications/tools/list_changed']),
    ),
  );
}

/** Asks for progress, too. */
async function callTool(client: Client2025 | Client2026, name: string, args: Record<string, unknown>) {
  const options = { onprogress: () => undefined };
  return client instanceof Client2025
    ? client.callTool({ name, arguments: args }, undefined, options)
    : client.callTool({ name, arguments: args }, options);
}

describe.each(revisions)('a conversation in %s', (revision) => {
  it('holds no message that the schema of the revision does not allow', async () => {
    const wire = recordWire();
    const client = await connect(revision, wire);
    await talk(client);
    await client.close();
    await wire.settled();

    expect(violationsOf(wire, revision)).toEqual([]);
    const count = (find: (message: RecordedWire['received'][number]) => boolean) =>
      wire.received.filter(find).length;
    expect(count(({ result }) => result !== undefined)).toBeGreaterThan(25);
    expect(count(({ error }) => error !== undefined)).toBeGreaterThan(4);
    expect(count(({ method }) => method === 'notifications/progress')).toBeGreaterThan(2);
    // The 2025 era asks in requests, 2026-07-28 in results.
    const asked = count(({ method, result }) =>
      revision === '2025-11-25' ? method === 'elicitation/create' : isInputRequired(result),
    );
    expect(asked).toBeGreaterThan(8);
  });
});

function isInputRequired(result: unknown): boolean {
  return z.object({ resultType: z.literal('input_required') }).safeParse(result).success;
}

describe('the judge', () => {
  it.each([
    ['an id that is null', { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'no' } }],
    ['content of no known kind', { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'smell' }] } }],
    ['a method that nobody knows', { jsonrpc: '2.0', method: 'notifications/nothing' }],
  ])('finds %s', (_what, message) => {
    const wire = { ...recordWire(), sent: [{ id: 1, method: 'tools/call' }], received: [message] };
    expect(violationsOf(wire, '2025-11-25')).not.toEqual([]);
  });
});
