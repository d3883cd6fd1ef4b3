import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import {
  createClientCredentials,
  createClient,
  type AnyEndpoint,
  type Client,
} from '@mcp-parts/resilient-client';
import { createCatalog, defineResource } from '@mcp-parts/tool-kit';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { startSandbox, type Sandbox } from '../src/index.ts';
import { createConfigurationService } from '../src/platform/configuration-service.ts';
import { createDeploymentApi } from '../src/platform/deployment-api.ts';
import { createDeployments } from '../src/platform/deployments.ts';
import { createPlatform } from '../src/platform/platform.ts';
import { defaultSeed } from '../src/platform/seed.ts';
import * as platform from './platform-endpoints.ts';
import { send } from './send.ts';

const run = promisify(execFile);
const documentFile = fileURLToPath(new URL('../openapi.yaml', import.meta.url));
const generatedFile = fileURLToPath(new URL('platform-endpoints.ts', import.meta.url));
const { signal } = new AbortController();

const operation = z.object({ operationId: z.string(), responses: z.record(z.string(), z.unknown()) });
const openapi = z.object({
  paths: z.record(
    z.string(),
    z.object({ get: operation.optional(), post: operation.optional(), delete: operation.optional() }),
  ),
});

async function operations() {
  const { paths } = openapi.parse(parse(await readFile(documentFile, 'utf8')));
  return Object.entries(paths).flatMap(([path, { get, post, delete: remove }]) =>
    [
      { method: 'GET', path, ...get },
      { method: 'POST', path, ...post },
      { method: 'DELETE', path, ...remove },
    ].filter(({ operationId }) => operationId !== undefined),
  );
}

let sandbox: Sandbox;
let configuration: Client;
let deployments: Client;

beforeAll(async () => {
  sandbox = await startSandbox();
  const token = createClientCredentials({
    issuer: sandbox.urls.identity,
    clientId: sandbox.clients.mcpServer.clientId,
    clientSecret: () => sandbox.clients.mcpServer.clientSecret,
    resource: sandbox.platformAudience,
    scope: 'platform:read platform:deploy',
  });
  const at = (name: string, baseUrl: string) => createClient({ name, baseUrl, token });
  configuration = at('configuration service', sandbox.urls.configuration);
  deployments = at('deployment API', sandbox.urls.deployments);
});

afterAll(async () => {
  await configuration.close();
  await deployments.close();
  await sandbox.close();
});

describe('openapi.yaml', () => {
  it('describes every route of the two services and no other', async () => {
    const guard = () => async () => {};
    const now = () => new Date();
    const model = createPlatform(defaultSeed, now);
    const runner = createDeployments({ platform: model, now, stepMs: 1 });
    const apps = [
      createConfigurationService({ platform: model, guard, now }),
      createDeploymentApi({ deployments: runner, guard }),
    ];

    const served = (await Promise.all(apps.map(routesOf))).flat();

    const described = (await operations()).map(({ method, path }) => `${method} ${path}`);
    expect(described.toSorted()).toEqual(served.toSorted());
  });

  it('makes the endpoints that are checked in', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'openapi-'));
    const made = join(folder, 'platform-endpoints.ts');
    const root = dirname(fileURLToPath(import.meta.resolve('@mcp-parts/resilient-client/package.json')));

    await run(process.execPath, [
      '--conditions=@mcp-parts/source',
      join(root, 'src/mcp-endpoints.ts'),
      documentFile,
      made,
    ]);

    expect(withoutLayout(await readFile(made, 'utf8'))).toBe(
      withoutLayout(await readFile(generatedFile, 'utf8')),
    );
    await rm(folder, { recursive: true });
  });

  it('tells the whole truth about what the configuration service answers', async () => {
    const service = { service: 'payment-service' };
    const place = { ...service, environment: 'production' };
    const version = { ...service, version: '3.0.0' };

    await expectWhole(configuration.call(platform.servicesList, {}, { signal }), '/v1/services');
    await expectWhole(
      configuration.call(platform.servicesGet, { params: service }, { signal }),
      '/v1/services/payment-service',
    );
    await expectWhole(
      configuration.call(platform.servicesDependencies, { params: service }, { signal }),
      '/v1/services/payment-service/dependencies',
    );
    await expectWhole(
      configuration.call(platform.servicesDependants, { params: service }, { signal }),
      '/v1/services/payment-service/dependants',
    );
    await expectWhole(
      configuration.call(
        platform.servicesCompatibility,
        { params: version, query: { environment: 'staging' } },
        { signal },
      ),
      '/v1/services/payment-service/versions/3.0.0/compatibility?environment=staging',
    );
    await expectWhole(
      configuration.call(platform.servicesConfiguration, { params: place }, { signal }),
      '/v1/services/payment-service/environments/production/configuration',
    );
    for (const environment of ['staging', 'production']) {
      await expectWhole(
        configuration.call(platform.environmentsDeploymentWindow, { params: { environment } }, { signal }),
        `/v1/environments/${environment}/deployment-window`,
      );
    }
    const health = await configuration.call(
      platform.servicesHealth,
      { params: place, query: { region: 'us-east' } },
      { signal },
    );
    expect(health).toMatchObject({ ok: true, data: { status: 'healthy', detail: 'All checks pass.' } });
  });

  it.each(['2.5.0', '2.5.1-broken'])(
    'tells the whole truth about a deployment of %s, from its start to its end',
    async (version) => {
      const body = { service: 'cart-service', version, environment: 'staging', requestedBy: 'dev' } as const;
      const started = await deployments.call(platform.deploymentsCreate, { body }, { signal });
      const id = started.ok ? started.data.id : '';
      const params = { id };

      await expect
        .poll(async () => {
          const shown = await deployments.call(platform.deploymentsGet, { params }, { signal });
          return shown.ok && ['succeeded', 'failed'].includes(shown.data.state);
        })
        .toBe(true);

      await expectWhole(
        deployments.call(platform.deploymentsGet, { params }, { signal }),
        `/v1/deployments/${id}`,
      );
      const query = { service: 'cart-service', environment: 'staging', limit: 10 } as const;
      await expectWhole(
        deployments.call(platform.deploymentsList, { query }, { signal }),
        '/v1/deployments?service=cart-service&environment=staging&limit=10',
      );
      const cancelled = await deployments.call(platform.deploymentsCancel, { params }, { signal });
      expect(cancelled).toMatchObject({
        ok: false,
        error: { code: 'conflict', publicMessage: expect.stringContaining('nothing to cancel') },
      });

      const undone = await deployments.call(
        platform.deploymentsRollback,
        { params, body: { requestedBy: 'dev' } },
        { signal },
      );
      const rollback = undone.ok ? undone.data : undefined;
      expect(rollback).toMatchObject({ rollbackOf: id, version: '3.1.5' });
      await expect
        .poll(() =>
          deployments.call(platform.deploymentsGet, { params: { id: rollback?.id ?? '' } }, { signal }),
        )
        .toMatchObject({ data: { state: 'succeeded' } });
      await expectWhole(
        deployments.call(platform.deploymentsGet, { params: { id: rollback?.id ?? '' } }, { signal }),
        `/v1/deployments/${rollback?.id}`,
      );
    },
  );

  it.each([
    ['services.get', 'configuration', '/v1/services/nobody', {}],
    ['services.delete', 'configuration', '/v1/services/user-service', { method: 'DELETE' }],
    ['services.dependants', 'configuration', '/v1/services/nobody/dependants', {}],
    ['deployments.rollback', 'deployments', '/v1/deployments/dep-1/rollback', { method: 'POST', body: {} }],
    ['services.compatibility', 'configuration', '/v1/services/cart-service/versions/1.0.0/compatibility', {}],
    ['environments.deploymentWindow', 'configuration', '/v1/environments/moon/deployment-window', {}],
    ['deployments.get', 'deployments', '/v1/deployments/dep-1', {}],
    ['deployments.list', 'deployments', '/v1/deployments?limit=0', {}],
    ['deployments.create', 'deployments', '/v1/deployments', { method: 'POST', body: {} }],
    ['deployments.cancel', 'deployments', '/v1/deployments/dep-1/cancel', { method: 'POST' }],
  ] as const)('names the failure of %s, a problem document', async (id, service, path, request) => {
    const known = (await operations()).find(({ operationId }) => operationId === id);

    const { status, headers, body } = await send(sandbox, service, path, request);

    expect(Object.keys(known?.responses ?? {})).toContain(String(status));
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(Object.keys(body).toSorted()).toEqual(['detail', 'status', 'title', 'type']);
  });

  it('makes endpoints whose responses a resource may return as they are', async () => {
    const deployment = defineResource({
      name: 'deployment',
      title: 'Deployment',
      description: 'One deployment.',
      uriTemplate: 'deployment://{id}',
      parameters: z.object({ id: z.string() }),
      permission: 'deployments:read',
      list: () => Promise.resolve([]),
      read: async (params) => {
        const shown = await deployments.call(platform.deploymentsGet, { params }, { signal });
        return shown.ok ? shown.data : undefined;
      },
    });

    const { resources } = createCatalog({ resources: [deployment] });
    expect(resources.get('deployment')?.listing).toHaveProperty('uriTemplate', 'deployment://{id}');
  });

  it('is used by an endpoint for each of its operations', async () => {
    const endpoints = Object.values<Pick<AnyEndpoint, 'id' | 'method' | 'path'>>(platform);

    expect(endpoints.map(({ id, method, path }) => `${id}: ${method} ${path}`).toSorted()).toEqual(
      (await operations()).map((known) => `${known.operationId}: ${known.method} ${known.path}`).toSorted(),
    );
  });
});

/** What a schema keeps of an answer is all of it: nothing is there that the document does not name. */
async function expectWhole(call: Promise<unknown>, path: string): Promise<void> {
  const service = path.startsWith('/v1/deployments') ? 'deployments' : 'configuration';
  const { body } = await send(sandbox, service, path);
  expect(await call).toMatchObject({ ok: true });
  expect(await call).toHaveProperty('data', body);
}

/** The formatter breaks lines and adds commas; nothing else. */
function withoutLayout(source: string): string {
  return source.replaceAll(/\s+/g, '').replaceAll(/,(?=[)\]}])/g, '');
}

/** `METHOD /path/{parameter}` for each route, read from fastify's tree, without probes. */
async function routesOf(app: FastifyInstance): Promise<string[]> {
  await app.ready();
  const ancestors: string[] = [];
  const routes = app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', , methods = ''] =
        /^((?:│ {3}| {4})*)[├└]── (\S*)( \(([^)]*)\))?/u.exec(line) ?? [];
      ancestors.splice(indent.length / 4, ancestors.length, part);
      const path = ancestors.join('').replaceAll(/:(\w+)/g, '{$1}');
      return methods
        .split(', ')
        .filter((method) => method !== '' && method !== 'HEAD')
        .map((method) => `${method} ${path}`);
    });
  await app.close();
  return routes.filter((route) => route !== 'GET /health');
}
