import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { chromium, type Browser } from 'playwright-core';

import { startServer, tokenFor, type TestServer } from './http-server.ts';
import { modernCall, send } from './raw-request.ts';

/** Not a secret: it opens a server that ends with the test. */
export const operatorToken = 'operators-of-this-test-sign-in-with-it';

/** A server with a page for operators, and what happens to it. */
export interface ConsoleWorld extends AsyncDisposable {
  readonly server: TestServer;
  readonly sandbox: Sandbox;
  /** Of the port for operators. */
  readonly url: string;
  readonly call: (tool: string, input?: object) => Promise<void>;
  /** Makes the backend for configuration fail. */
  readonly breakBackend: () => Promise<void>;
}

export async function createConsoleWorld(
  settings: Readonly<Record<string, string>> = {},
  { deploymentStepMs }: { readonly deploymentStepMs?: number } = {},
): Promise<ConsoleWorld> {
  const sandbox = await startSandbox({ mcpResource, deploymentStepMs });
  const server = await startServer(sandbox, {
    OPERATOR_PORT: '0',
    OPERATOR_TOKEN: operatorToken,
    ...settings,
  });
  const { operatorUrl } = await server.process.logged('listening');
  const token = await tokenFor(sandbox, 'developer');
  return {
    server,
    sandbox,
    url: String(operatorUrl),
    async call(tool, input = {}) {
      await send(server.url, modernCall(token, tool, input));
    },
    breakBackend: () => sandbox.faults.set('configuration', { kind: 'status', status: 503 }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await sandbox.close();
    },
  };
}

/** A browser without a window. In a container it has no sandbox of its own; it sees nothing but the page. */
export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
