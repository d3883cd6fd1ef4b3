import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { createCatalog, createMethodTable } from '@mcp-parts/tool-kit';
import {
  Client as ModernClient,
  LOG_LEVEL_META_KEY,
  StreamableHTTPClientTransport as ModernHttp,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { McpApp } from '../src/index.ts';
import { echoApp, legacyCall, modern, openSession, post } from './mcp-requests.ts';
import { talkingTool } from './talking-tool.ts';

const fixture = fileURLToPath(new URL('talking.fixture.ts', import.meta.url));
// The fixture and the sources say `using`, which Node 22 has not.
const canRunSources = Number.parseInt(process.versions.node, 10) >= 24;
const program = { command: process.execPath, args: ['--conditions=@mcp-parts/source', fixture] };

const table = createMethodTable(createCatalog({ tools: [talkingTool] }));
let app: McpApp;
let url: URL;
const server = createServer((request, response) => void app.node(request, response));
beforeAll(async () => {
  app = echoApp({ table });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
});
afterAll(async () => {
  await app.close();
  server.close();
});

const requestInit = { headers: { 'x-api-key': 'ann' } };

interface Talk {
  readonly overHttp: boolean;
  readonly sent: Readonly<Record<string, unknown>>;
  /** Answers a form. */
  readonly answer?: () => { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> };
}

/** Calls the tool with the client of the 1.x SDK, and tells all that it heard, in order. */
async function talkIn2025({ overHttp, sent, answer }: Talk): Promise<unknown[]> {
  const heard: unknown[] = [];
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { capabilities: answer === undefined ? {} : { elicitation: {} } },
  );
  if (answer !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, () => answer());
  }
  client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    ({ params }) => void heard.push(params.data),
  );
  const transport = overHttp
    ? new StreamableHTTPClientTransport(url, { requestInit })
    : new StdioClientTransport(program);
  await client.connect(transport);
  const result = await client.callTool({ name: 'talk', arguments: sent }, undefined, {
    onprogress: ({ message }) => heard.push(message),
  });
  heard.push(result.content);
  await client.close();
  return heard;
}

/** The same with the client of the 2.x SDK. */
async function talkIn2026({ overHttp, sent, answer }: Talk): Promise<unknown[]> {
  const heard: unknown[] = [];
  const client = new ModernClient(
    { name: 'test', version: '1.0.0' },
    {
      capabilities: answer === undefined ? {} : { elicitation: {} },
      versionNegotiation: { mode: { pin: '2026-07-28' } },
    },
  );
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', () => answer());
  }
  client.setNotificationHandler('notifications/message', ({ params }) => void heard.push(params.data));
  await client.connect(overHttp ? new ModernHttp(url, { requestInit }) : new ModernStdio(program));
  const result = await client.callTool(
    { name: 'talk', arguments: sent, _meta: { [LOG_LEVEL_META_KEY]: 'info' } },
    { onprogress: ({ message }) => heard.push(message) },
  );
  heard.push(result.content);
  await client.close();
  return heard;
}

const transports = [
  ['HTTP', true],
  ['stdio', false],
] as const;
const text = (words: string) => [{ type: 'text', text: words }];

describe.each(canRunSources ? transports : transports.slice(0, 1))('a tool over %s', (_name, overHttp) => {
  describe.each([
    ['2025', talkIn2025],
    ['2026-07-28', talkIn2026],
  ])('talks with a client of %s', (_era, talk) => {
    it('while it works', async () => {
      const heard = await talk({ overHttp, sent: { steps: 2 } });
      // The clients drop a report when the answer is read at the same time; see below for what is sent.
      expect(heard).toEqual(
        expect.arrayContaining(['Step 1', 'step 1 done', 'step 2 done', text('All done.')]),
      );
    });

    it('and asks it what it needs to know', async () => {
      const sent = { question: 'Who are you?' };
      const answers = [{ name: 'A' }, { name: 'Ada' }];
      const answer = () => ({ action: 'accept' as const, content: answers.shift() ?? {} });
      expect((await talk({ overHttp, sent, answer })).at(-1)).toEqual(text('Hello Ada.'));
    });

    it('and takes no for an answer', async () => {
      const sent = { question: 'Who are you?' };
      const declined = await talk({ overHttp, sent, answer: () => ({ action: 'decline' }) });
      expect(declined.at(-1)).toEqual(text('It was declined.'));
    });
  });
});

describe('the answer to a call', () => {
  const call = { name: 'talk', arguments: { steps: 2 } };
  const withProgress = (progressToken: unknown) => {
    const { body, headers } = modern('tools/call', call);
    const { params } = body;
    return { headers, body: { ...body, params: { ...params, _meta: { ...params._meta, progressToken } } } };
  };

  it('of 2025 is a stream only when something is said before it', async () => {
    const session = await openSession(app);
    const typeAt = async (level: string) => {
      const setLevel = { jsonrpc: '2.0', id: 3, method: 'logging/setLevel', params: { level } };
      expect((await post(app, setLevel, session)).status).toBe(200);
      const answer = await post(app, { ...legacyCall(''), params: call }, session);
      await answer.text();
      return answer.headers.get('content-type');
    };
    expect(await typeAt('emergency')).toBe('application/json');
    expect(await typeAt('info')).toBe('text/event-stream');
  });

  it('of 2026-07-28 is a stream only when something is said before it', async () => {
    const plain = modern('tools/call', call);
    expect((await post(app, plain.body, plain.headers)).headers.get('content-type')).toBe('application/json');
    const told = withProgress('p-1');
    const answer = await post(app, told.body, told.headers);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(await answer.text()).toContain('"progressToken":"p-1","progress":2,"total":2');
  });

  it('says nothing before it to a client that reads no streams', async () => {
    const { body, headers } = withProgress(1);
    const answer = await post(app, body, { ...headers, accept: 'application/json' });
    expect(await answer.json()).toMatchObject({ result: { content: [{ text: 'All done.' }] } });
  });
});

it.each([{ level: 'loud' }, {}, { level: 7 }])('refuses %j as the level of a session', async (params) => {
  const session = await openSession(app);
  const answer = await post(app, { jsonrpc: '2.0', id: 3, method: 'logging/setLevel', params }, session);
  expect(await answer.json()).toMatchObject({
    error: { code: -32602, message: expect.stringMatching(/^"level" must be one of debug, info/u) },
  });
});
