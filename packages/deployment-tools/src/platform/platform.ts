import {
  createClientCredentials,
  createClient,
  defineEndpoint,
  type Client,
  type ClientEvent,
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
}

/** One request to an upstream, as a metric of HTTP requests needs it. */
export interface UpstreamRequest {
  /** The name of its client. */
  readonly upstream: string;
  readonly method: string;
  /** HTTP status; undefined when no response came. */
  readonly status: number | undefined;
  /** Why it failed without a response. */
  readonly errorCode: string | undefined;
  readonly durationMs: number;
}

/** Clients of the platform's services. */
export interface Platform extends AsyncDisposable {
  readonly configuration: Client;
  readonly deployments: Client;
  /** A token of this server for the audit collector. */
  readonly auditToken: () => Promise<string>;
  /** For readiness: each rejects when its upstream does not respond. */
  readonly probes: Readonly<Record<string, (options: { readonly signal: AbortSignal }) => Promise<void>>>;
  /** Tells of each request from now on; for a metric, which needs the server that is assembled later. */
  readonly measureRequests: (record: (request: UpstreamRequest) => void) => void;
  readonly close: () => Promise<void>;
}

/**
 * Connects to the platform with this server's own tokens, never with a caller's.
 *
 * @throws {TypeError} for a URL that cannot work.
 */
export function connectPlatform(options: PlatformOptions): Platform {
  const credentials = {
    tokenUrl: options.tokenUrl,
    clientId: options.clientId,
    clientSecret: () => options.clientSecret,
    resource: options.resource,
  };
  const token = createClientCredentials({ ...credentials, scope: 'platform:read platform:deploy' });
  const auditToken = createClientCredentials({ ...credentials, scope: 'audit:write' });
  const records = new Set<(request: UpstreamRequest) => void>();
  const on = (event: ClientEvent) => {
    if (event.type !== 'attempt') {
      return;
    }
    const { client: upstream, method, status, code: errorCode, durationMs } = event;
    for (const record of records) {
      record({ upstream, method, status, errorCode, durationMs });
    }
  };
  const configuration = createClient({
    name: 'configuration service',
    baseUrl: options.configurationUrl,
    token,
    on,
  });
  const deployments = createClient({
    name: 'deployment API',
    baseUrl: options.deploymentsUrl,
    token,
    on,
  });
  const close = async () => {
    await Promise.all([configuration.close(), deployments.close()]);
  };
  return {
    configuration,
    deployments,
    auditToken: async () => (await auditToken.get({ signal: AbortSignal.timeout(5_000) })).value,
    probes: { configuration: probe(configuration), deployments: probe(deployments) },
    measureRequests: (record) => void records.add(record),
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
