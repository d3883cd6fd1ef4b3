import { localCaller } from '@mcp-parts/auth';
import {
  createCatalog,
  createMethodTable,
  defineTool,
  type MethodTable,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { createMcpApp, type McpApp, type McpAppOptions } from '../src/endpoint.ts';

/** What a test's server may do meanwhile, and what it was told. */
export interface EchoOptions {
  readonly before?: (text: string, signal: AbortSignal) => void | Promise<void>;
}

/** A table with one tool that gives back its text, and can be told to wait. */
export function echoTable({ before }: EchoOptions = {}, options: MethodTableOptions = {}): MethodTable {
  const echo = defineTool({
    name: 'echo',
    title: 'Echo',
    description: 'Gives back the text.',
    input: z.strictObject({
      text: z.string(),
      region: z.string().optional().meta({ 'x-mcp-header': 'Region' }),
    }),
    output: z.object({ text: z.string() }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'echo',
    async handle({ text }, { signal }) {
      await before?.(text, signal);
      return { text };
    },
    text: ({ text }) => text,
  });
  return createMethodTable(createCatalog({ tools: [echo] }), options);
}

/** Whoever names an API key is that caller. */
export const byApiKey: McpAppOptions['authenticate'] = ({ headers }) => {
  const key = headers['x-api-key'];
  return typeof key === 'string'
    ? localCaller({ name: key, permissions: ['echo'] })
    : { refused: { status: 401, headers: { 'www-authenticate': 'ApiKey' }, body: { error: 'no_key' } } };
};

/** An endpoint with that tool. */
export function echoApp(options: Partial<McpAppOptions> & { readonly table?: MethodTable } = {}): McpApp {
  const { table = echoTable(), ...others } = options;
  return createMcpApp(table, {
    serverInfo: { name: 'echo-server', version: '1.0.0' },
    authenticate: byApiKey,
    ...others,
  });
}

const url = 'http://mcp.test/mcp';

/** Sends one request to an endpoint, without a network. */
export function post(
  app: McpApp,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return app.fetch(
    new Request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'x-api-key': 'ann',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal && { signal }),
    }),
  );
}

/** Opens the stream of a session. */
export function openStream(app: McpApp, headers: Readonly<Record<string, string>>): Promise<Response> {
  return app.fetch(
    new Request(url, { headers: { accept: 'text/event-stream', 'x-api-key': 'ann', ...headers } }),
  );
}

const PROTOCOL = 'io.modelcontextprotocol/protocolVersion';

/** The `_meta` of a request of 2026-07-28. */
const envelope = {
  [PROTOCOL]: '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1.0.0' },
};

/** A request of 2026-07-28 with the headers that repeat it. */
export function modern(method: string, params: Readonly<Record<string, unknown>> = {}, id: unknown = 1) {
  const name = params['name'];
  return {
    body: { jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope } },
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
    },
  };
}

/** A call of the tool in 2026-07-28. */
export function callEcho(
  app: McpApp,
  args: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const request = modern('tools/call', { name: 'echo', arguments: args });
  return post(app, request.body, { ...request.headers, ...headers }, signal);
}

/** Opens a session and returns the headers of its requests. */
export async function openSession(
  app: McpApp,
  headers: Readonly<Record<string, string>> = {},
  params: object = {},
): Promise<Record<string, string>> {
  const answer = await post(app, initialize(params), headers);
  if (answer.status !== 200) {
    throw new Error(`no session: ${answer.status} ${await answer.text()}`);
  }
  await answer.text();
  return { ...headers, 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' };
}

/** The first message of the 2025 era. */
export function initialize(params: object = {}) {
  return {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'raw', version: '1' },
      ...params,
    },
  };
}

/** `tools/call` of the 2025 era. */
export function legacyCall(text: string, id: unknown = 2) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: { text } } };
}
