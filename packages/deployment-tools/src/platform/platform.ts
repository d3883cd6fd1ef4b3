import {
  createClientCredentials,
  createClient,
  defineEndpoint,
  type Client,
  type ClientOptions,
} from '@mcp-parts/resilient-client';
import { z } from 'zod';

/** Where the organisation's platform is, and how this server signs in to it. */
export interface PlatformOptions {
  readonly configurationUrl: string;
  readonly deploymentsUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The platform as the identity provider knows it (RFC 8707). */
  readonly resource: string;
  /** Measures requests to the platform, its circuits and its tokens. @default nothing is measured */
  readonly meter?: ClientOptions['meter'];
}

/** Clients of the platform's services. */
export interface Platform extends AsyncDisposable {
  readonly configuration: Client;
  readonly deployments: Client;
  /** A token of this server for the audit collector. */
  readonly auditToken: () => Promise<string>;
  /** For readiness: each rejects when its upstream does not respond. */
  readonly probes: Readonly<Record<string, (options: { readonly signal: AbortSignal }) => Promise<void>>>;
  readonly close: () => Promise<void>;
}

/**
 * Connects to the platform with this server's own tokens, never with a caller's.
 *
 * @throws {TypeError} for a URL that cannot work.
 */
export function connectPlatform(options: PlatformOptions): Platform {
  const { meter } = options;
  const credentials = {
    tokenUrl: options.tokenUrl,
    clientId: options.clientId,
    clientSecret: () => options.clientSecret,
    resource: options.resource,
    meter,
  };
  const token = createClientCredentials({ ...credentials, scope: 'platform:read platform:deploy' });
  const auditToken = createClientCredentials({ ...credentials, scope: 'audit:write' });
  const configuration = createClient({
    name: 'configuration service',
    baseUrl: options.configurationUrl,
    token,
    meter,
  });
  const deployments = createClient({
    name: 'deployment API',
    baseUrl: options.deploymentsUrl,
    token,
    meter,
  });
  const close = async () => {
    await Promise.all([configuration.close(), deployments.close()]);
  };
  return {
    configuration,
    deployments,
    auditToken: async () => (await auditToken.get({ signal: AbortSignal.timeout(5_000) })).value,
    probes: { configuration: probe(configuration), deployments: probe(deployments) },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const health = defineEndpoint({
  id: 'health',
  method: 'GET',
  path: '/health',
  response: z.looseObject({}),
  policy: { retry: { maxRetries: 0 } },
});

function probe(client: Client) {
  return async ({ signal }: { readonly signal: AbortSignal }) => {
    const result = await client.call(health, {}, { signal });
    if (!result.ok) {
      throw result.error;
    }
  };
}
