import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import type { ServerTarget } from './server-options.ts';

/** A server that is connected. */
export interface OpenServer extends AsyncDisposable {
  readonly client: Client;
}

/** Connects to a server in the newest revision that it speaks. Its log goes to standard error. */
export async function openServer(target: ServerTarget, version: string): Promise<OpenServer> {
  const client = new Client({ name: 'mcp-tools', version }, { versionNegotiation: { mode: 'auto' } });
  const transport =
    target.kind === 'http'
      ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: target.headers } })
      : new StdioClientTransport({
          command: target.command,
          args: [...target.args],
          env: { ...getDefaultEnvironment(), ...target.env },
          stderr: 'inherit',
        });
  await client.connect(transport);
  return { client, [Symbol.asyncDispose]: () => client.close() };
}
