import { createServer } from 'node:net';

import { startSandbox } from '@mcp-parts/sandbox';
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientInformationMixed,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type OAuthTokens,
} from '@modelcontextprotocol/client';
import { expect, it } from 'vitest';

import { startServer } from './http-server.ts';

const callback = 'http://127.0.0.1:8090/callback';

/** What a client keeps while a person signs in. The browser is the test itself. */
class Memory implements OAuthClientProvider {
  readonly redirectUrl = callback;
  readonly clientMetadata = { client_name: 'a client', redirect_uris: [callback] };
  authorizationUrl: URL | undefined;
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;

  clientInformation() {
    return this.#client;
  }
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client;
  }
  tokens() {
    return this.#tokens;
  }
  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens;
  }
  discoveryState() {
    return this.#discovery;
  }
  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.#discovery = state;
  }
  codeVerifier() {
    return this.#verifier;
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  redirectToAuthorization(url: URL) {
    this.authorizationUrl = url;
  }
}

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}

it('signs a person in with nothing but the URL, and asks for more scopes when a call needs them', async () => {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}/mcp`;
  await using sandbox = await startSandbox({ mcpResource: endpoint });
  await using server = await startServer(sandbox, {
    PORT: String(port),
    AUTH_AUDIENCE: endpoint,
    // The least first, so that there is something to ask for later.
    AUTH_SIGN_IN_SCOPES: 'deploy:read',
  });
  const memory = new Memory();
  const newTransport = () => new StreamableHTTPClientTransport(new URL(server.url), { authProvider: memory });
  const newClient = () =>
    new Client({ name: 'a client', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });

  /** What the person's browser does: the sandbox redirects back at once. */
  async function consent(transport: StreamableHTTPClientTransport): Promise<string | null> {
    const url = memory.authorizationUrl ?? new URL('about:blank');
    const page = await fetch(url, { redirect: 'manual' });
    await transport.finishAuth(new URL(page.headers.get('location') ?? '').searchParams);
    return url.searchParams.get('scope');
  }

  // Metadata, registration, authorization code with PKCE.
  const refused = newTransport();
  await expect(newClient().connect(refused)).rejects.toThrow(UnauthorizedError);
  expect(await consent(refused)).toBe('deploy:read');

  // The developer may deploy to staging, but this token may not: the tool is there, the call asks for the scope.
  const reading = newTransport();
  const reader = newClient();
  await reader.connect(reading);
  expect((await reader.listTools()).tools.map(({ name }) => name)).toContain('trigger_deployment');
  const deployment = {
    name: 'trigger_deployment',
    arguments: { service: 'user-service', version: '3.8.5', environment: 'staging' },
  };
  await expect(reader.callTool(deployment)).rejects.toThrow(UnauthorizedError);
  expect((await consent(reading))?.split(' ').toSorted()).toEqual(['deploy:read', 'deploy:staging']);
  await reader.close();

  const deployer = newClient();
  await deployer.connect(newTransport());
  expect((await deployer.callTool(deployment)).structuredContent).toMatchObject({ state: 'queued' });
  await deployer.close();
});
