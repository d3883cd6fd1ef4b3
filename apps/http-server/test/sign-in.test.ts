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

it('signs a person in with nothing but the URL: metadata, registration, code with PKCE', async () => {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}/mcp`;
  await using sandbox = await startSandbox({ mcpResource: endpoint });
  await using server = await startServer(sandbox, { PORT: String(port), AUTH_AUDIENCE: endpoint });
  const memory = new Memory();
  const newTransport = () => new StreamableHTTPClientTransport(new URL(server.url), { authProvider: memory });
  const client = new Client(
    { name: 'a client', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );

  const refused = newTransport();
  await expect(client.connect(refused)).rejects.toThrow(UnauthorizedError);
  const page = await fetch(memory.authorizationUrl ?? '', { redirect: 'manual' });
  await refused.finishAuth(new URL(page.headers.get('location') ?? '').searchParams);

  await client.connect(newTransport());
  const { tools } = await client.listTools();
  // The challenge asked for the basic scope only, so the person can look and not touch.
  expect(tools.map(({ name }) => name).toSorted()).toEqual([
    'check_deployment_prerequisites',
    'check_deployment_status',
    'list_services',
  ]);
  await client.close();
});
