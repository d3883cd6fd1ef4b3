import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitRequestSchema,
  type CallToolResult,
  type CompleteRequest,
  type ElicitResult,
  type ListToolsResult,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

import type { Program } from './program.ts';

/** A server over HTTP, or one that the client starts itself. */
export type Target =
  | { readonly url: string; readonly token: string }
  | { readonly program: Program; readonly env: Readonly<Record<string, string>> };

/** The official clients, by SDK and by how they find out the protocol era. */
export const sdkClients = ['sdk-1.x', 'sdk-2.x-auto', 'sdk-2.x-pinned'] as const;

/** One of the official clients. */
export type SdkClient = (typeof sdkClients)[number];

/** What every client can do, in one form. A JSON-RPC error rejects with its `code`. */
export interface McpClient extends AsyncDisposable {
  readonly listTools: () => Promise<ListToolsResult['tools']>;
  readonly callTool: (name: string, args?: Record<string, unknown>) => Promise<CallToolResult>;
  /** The content, parsed. */
  readonly readResource: (uri: string) => Promise<unknown>;
  readonly listResources: () => Promise<readonly string[]>;
  /** The text of the only message. */
  readonly getPrompt: (name: string, args: Record<string, string>) => Promise<string>;
  readonly complete: (params: CompleteRequest['params']) => Promise<readonly string[]>;
  /** What the server wrote to standard error, if this client started it. */
  readonly stderr: () => string;
  readonly close: () => Promise<void>;
}

/** What a person answers to the question of a server, as the result of `elicitation/create`. */
export type OnQuestion = (message: string) => ElicitResult;

/** Connects a client, which can ask a person where there is one. It introduces itself by the name of its kind. */
export async function connectClient(
  kind: SdkClient,
  target: Target,
  onQuestion?: OnQuestion,
): Promise<McpClient> {
  const info = { name: kind, version: '1.0.0' };
  const capabilities = onQuestion === undefined ? {} : { elicitation: { form: {} } };
  if (kind === 'sdk-1.x') {
    const client = new Client1(info, { capabilities });
    if (onQuestion !== undefined) {
      client.setRequestHandler(ElicitRequestSchema, ({ params }) => onQuestion(params.message));
    }
    const { transport, stderr } = open(target, Http1, Stdio1);
    await client.connect(transport);
    return inOneForm(client, stderr);
  }
  const mode = kind === 'sdk-2.x-auto' ? ('auto' as const) : { pin: '2026-07-28' };
  const client = new Client2(info, { versionNegotiation: { mode }, capabilities });
  if (onQuestion !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => onQuestion(params.message));
  }
  const { transport, stderr } = open(target, Http2, Stdio2);
  await client.connect(transport);
  return inOneForm(client, stderr);
}

interface StdioParameters {
  command: string;
  args: string[];
  env: Record<string, string>;
  stderr: 'pipe';
}

function open<Http, Stdio extends { readonly stderr: unknown }>(
  target: Target,
  OverHttp: new (url: URL, options: { requestInit: RequestInit }) => Http,
  OverStdio: new (parameters: StdioParameters) => Stdio,
): { transport: Http | Stdio; stderr: () => string } {
  if ('url' in target) {
    const headers = { authorization: `Bearer ${target.token}` };
    return { transport: new OverHttp(new URL(target.url), { requestInit: { headers } }), stderr: () => '' };
  }
  const { command, args } = target.program;
  const transport = new OverStdio({ command, args: [...args], env: { ...target.env }, stderr: 'pipe' });
  const written: string[] = [];
  const stream = transport.stderr as NodeJS.ReadableStream | null;
  stream?.on('data', (chunk) => written.push(String(chunk)));
  return { transport, stderr: () => written.join('') };
}

const contents = z.object({ contents: z.tuple([z.looseObject({ text: z.string() })]) });
const messages = z.object({
  messages: z.tuple([z.looseObject({ content: z.looseObject({ text: z.string() }) })]),
});

function inOneForm(client: Client1 | Client2, stderr: () => string): McpClient {
  const close = () => client.close();
  return {
    listTools: async () => (await client.listTools()).tools as ListToolsResult['tools'],
    // Both clients have validated the answer against the tool's output schema.
    callTool: async (name, args = {}) => (await client.callTool({ name, arguments: args })) as CallToolResult,
    readResource: async (uri) =>
      JSON.parse(contents.parse(await client.readResource({ uri })).contents[0].text) as unknown,
    listResources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    getPrompt: async (name, args) =>
      messages.parse(await client.getPrompt({ name, arguments: args })).messages[0].content.text,
    complete: async (params) => (await client.complete(params)).completion.values,
    stderr,
    close,
    [Symbol.asyncDispose]: close,
  };
}
