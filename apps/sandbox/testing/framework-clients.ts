import { z } from 'zod';

/** Clients that agent frameworks bring along, none of them made from an official client of both eras. */
export const frameworks = ['ai-sdk', 'langchain'] as const;

/** One of these frameworks. */
export type Framework = (typeof frameworks)[number];

/** A server over HTTP as a framework reaches it. */
export interface HttpTarget {
  readonly url: string;
  /** @default no token is sent */
  readonly token?: string | undefined;
}

/** What an agent built with the framework has of a server. */
export interface FrameworkClient extends AsyncDisposable {
  readonly tools: readonly string[];
  /** What the framework hands on of a result, as it is. Rejects where the framework throws for `isError`. */
  readonly callTool: (name: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly resources: () => Promise<readonly string[]>;
  readonly readResource: (uri: string) => Promise<unknown>;
}

/** Connects as an agent of a framework does. Only the framework that is asked for is loaded. */
export function connectFramework(framework: Framework, target: HttpTarget): Promise<FrameworkClient> {
  return framework === 'ai-sdk' ? connectAiSdk(target) : connectLangChain(target);
}

async function connectAiSdk(target: HttpTarget): Promise<FrameworkClient> {
  const { createMCPClient } = await import('@ai-sdk/mcp');
  const client = await createMCPClient({
    transport: { type: 'http', url: target.url, headers: headersOf(target) },
  });
  const tools = await client.tools();
  return {
    tools: Object.keys(tools),
    async callTool(name, args = {}) {
      const result = await tools[name]?.execute(args, { toolCallId: 'call-1', messages: [], context: {} });
      return z.unknown().parse(result);
    },
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    readResource: async (uri) => (await client.readResource({ uri })).contents,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function connectLangChain(target: HttpTarget): Promise<FrameworkClient> {
  const { MultiServerMCPClient } = await import('@langchain/mcp-adapters');
  const client = new MultiServerMCPClient({
    mcpServers: { server: { transport: 'http', url: target.url, headers: headersOf(target) } },
  });
  const tools = await client.getTools();
  return {
    tools: tools.map(({ name }) => name),
    async callTool(name, args = {}) {
      const result: unknown = await tools.find((tool) => tool.name === name)?.invoke(args);
      return result;
    },
    resources: async () => ((await client.listResources('server'))['server'] ?? []).map(({ uri }) => uri),
    readResource: (uri) => client.readResource('server', uri),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function headersOf({ token }: HttpTarget): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
