import { createClient, type Client } from '@mcp-parts/resilient-client';
import {
  createCatalog,
  createMethodTable,
  type AuditTrail,
  type CatalogDefinitions,
  type JsonObject,
  type Task,
  type TaskRunner,
} from '@mcp-parts/tool-kit';

import { createDeploymentTools, type DeploymentToolsOptions } from '../src/index.ts';
import { startFakeUpstream, type FakeUpstream } from './fake-upstream.ts';

/** A Tuesday, 12:00 in New York. */
export const openTime = Date.parse('2026-03-10T16:00:00Z');

export const target = { service: 'payment-service', version: '2.5.0', environment: 'production' } as const;

export const paths = {
  configuration: '/v1/services/payment-service/environments/production/configuration',
  compatibility: '/v1/services/payment-service/versions/2.5.0/compatibility?environment=production',
  dependencies: '/v1/services/payment-service/dependencies',
  ledgerHealth: '/v1/services/ledger-service/environments/production/health',
  fraudHealth: '/v1/services/fraud-service/environments/production/health',
  window: '/v1/environments/production/deployment-window',
};

export const configurationOfPayments = {
  version: '2.4.0',
  regions: ['eu-central', 'us-east'],
  replicas: 6,
  settings: { captureDelaySeconds: 0, strongCustomerAuthentication: true },
  dependencies: ['ledger-service', 'fraud-service'],
  updatedAt: '2026-03-01T08:00:00.000Z',
};

/** Both backends in one, where everything is ready for `target`, and clients that give up at the first failure. */
export interface Platform extends AsyncDisposable {
  readonly upstream: FakeUpstream;
  readonly clients: { readonly configuration: Client; readonly deployments: Client };
}

export async function startPlatform(): Promise<Platform> {
  const upstream = await startFakeUpstream();
  const healthy = { json: { status: 'healthy', checkedAt: '2026-03-10T15:59:00.000Z', detail: 'All pass.' } };
  upstream.on(`GET ${paths.configuration}`, { json: configurationOfPayments });
  upstream.on(`GET ${paths.compatibility}`, { json: { compatible: true, reasons: [] } });
  upstream.on(`GET ${paths.dependencies}`, { json: { dependencies: ['ledger-service', 'fraud-service'] } });
  upstream.on(`GET ${paths.ledgerHealth}`, healthy);
  upstream.on(`GET ${paths.fraudHealth}`, healthy);
  // No window for production: the default one holds.
  const policy = { retry: { maxRetries: 0 } };
  const clients = {
    configuration: createClient({ name: 'configuration service', baseUrl: upstream.url, policy }),
    deployments: createClient({ name: 'deployment API', baseUrl: upstream.url, policy }),
  };
  return {
    upstream,
    clients,
    async [Symbol.asyncDispose]() {
      await Promise.all([clients.configuration.close(), clients.deployments.close()]);
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** The tools' definitions over the platform's clients, at an open time and without waiting. */
export function definitionsOf(platform: Platform, options: Partial<DeploymentToolsOptions> = {}) {
  return createDeploymentTools({
    ...platform.clients,
    now: () => openTime,
    wait: () => Promise.resolve(),
    // What a person is asked first has tests of its own.
    confirmation: { production: 'none' },
    ...options,
  });
}

/** Calls MCP methods through the whole pipeline of tool-kit as one caller. */
export function mcpClient(
  definitions: CatalogDefinitions,
  options: {
    readonly permissions?: readonly string[] | undefined;
    readonly tasks?: TaskRunner | undefined;
    readonly audit?: AuditTrail | undefined;
  } = {},
) {
  const {
    permissions = ['deploy:read', 'deploy:production', 'deploy:staging', 'deploy:development'],
    tasks,
    audit,
  } = options;
  const table = createMethodTable(createCatalog(definitions), { tasks: tasks ?? storedTasks(), audit });
  return async (method: string, params: JsonObject = {}, signal = new AbortController().signal) => {
    const handler = table.methods.get(method);
    if (handler === undefined) {
      throw new Error(`no method ${method}`);
    }
    return handler(params, {
      caller: { id: 'https://issuer.test#ada', kind: 'user', groups: [], permissions },
      signal,
      era: '2026',
      transport: 'http',
      correlationId: 'ref-1',
    });
  };
}

/** A task runner that stores tasks and runs none. */
export function storedTasks(
  stored: Map<string, Task & { readonly ownerId: string }> = new Map(),
): TaskRunner {
  const byKey = new Map<string, { readonly task: Task; readonly fingerprint: string }>();
  const owned = (id: string, ownerId: string) => {
    const task = stored.get(id);
    return task?.ownerId === ownerId ? task : undefined;
  };
  return {
    ttlMs: 3_600_000,
    work() {},
    async start({ kind, ownerId, label, idempotencyKey, fingerprint }) {
      const key = `${ownerId} ${kind} ${idempotencyKey}`;
      const known = idempotencyKey === undefined ? undefined : byKey.get(key);
      if (known !== undefined) {
        if (known.fingerprint !== JSON.stringify(fingerprint)) {
          throw Object.assign(new Error(), { code: 'idempotency_conflict', publicMessage: 'Use a new key.' });
        }
        return known.task;
      }
      const task: Task = { ...aTask(), id: `task-${stored.size + 1}`, kind, label };
      stored.set(task.id, { ...task, ownerId });
      byKey.set(key, { task, fingerprint: JSON.stringify(fingerprint) });
      return task;
    },
    get: async (id, ownerId) => owned(id, ownerId),
    list: async () => ({ tasks: [] }),
    cancel: async (id, ownerId) => {
      const task = owned(id, ownerId);
      return task && { ...task, isCancelRequested: true };
    },
    answer: async (id, ownerId) => owned(id, ownerId),
    watch: () => () => undefined,
  };
}

/** A deployment's task that waits. */
export function aTask(): Task {
  const at = new Date(openTime).toISOString();
  return {
    id: 'task-9',
    kind: 'trigger_deployment',
    label: 'payment-service 2.5.0 to production',
    state: 'queued',
    progress: { percent: 0, message: '' },
    questions: {},
    isCancelRequested: false,
    attempt: 0,
    createdAt: at,
    updatedAt: at,
  };
}
