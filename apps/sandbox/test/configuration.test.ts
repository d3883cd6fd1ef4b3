import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';

import { type Sandbox, startSandbox } from '../src/index.ts';
import { send } from './send.ts';

const at = '2026-03-02T12:00:00.000Z';
let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ now: () => new Date(at) });
});

afterEach(() => sandbox.close());

const get = (path: string) => send(sandbox, 'configuration', path);

it('lists services that depend only on services it lists', async () => {
  const listed = z.object({ services: z.array(z.object({ name: z.string() })) });
  const names = listed.parse((await get('/v1/services')).body).services.map((service) => service.name);
  expect(names.length).toBeGreaterThanOrEqual(12);
  for (const name of names) {
    const { body } = await get(`/v1/services/${name}/dependencies`);
    expect(names).toEqual(expect.arrayContaining(z.array(z.string()).parse(body['dependencies'])));
  }
});

it('shows one service', async () => {
  expect((await get('/v1/services/payment-service')).body).toEqual({
    name: 'payment-service',
    description: 'Authorises, captures and refunds payments.',
    ownerTeam: 'payments',
    tier: 1,
  });
});

it('shows what runs in an environment', async () => {
  expect((await get('/v1/services/payment-service/environments/staging/configuration')).body).toEqual({
    service: 'payment-service',
    environment: 'staging',
    version: '2.4.1',
    regions: ['eu-central', 'us-east'],
    replicas: 1,
    settings: { captureDelaySeconds: 0, strongCustomerAuthentication: true },
    dependencies: ['ledger-service', 'fraud-service'],
    updatedAt: at,
  });
});

it('answers a problem document for an unknown service', async () => {
  const answer = await get('/v1/services/nothing-service/environments/staging/configuration');
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({ type: expect.stringContaining('unknown-service'), status: 404 });
});

it('answers a problem document for an unknown environment', async () => {
  const answer = await get('/v1/services/payment-service/environments/qa/health');
  expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('environment') } });
});

it('tells in which environments a version does not fit', async () => {
  const check = async (environment: string) =>
    (await get(`/v1/services/payment-service/versions/3.0.0/compatibility?environment=${environment}`)).body;
  expect(await check('development')).toEqual({ compatible: true, reasons: [] });
  expect(await check('production')).toEqual({
    compatible: false,
    reasons: [expect.stringContaining('ledger-service')],
  });
});

it('shows the health that was set', async () => {
  const path = '/v1/services/user-service/environments/production/health';
  expect((await get(path)).body).toEqual({ status: 'healthy', checkedAt: at, detail: 'All checks pass.' });
  sandbox.setHealth('user-service', 'production', { status: 'degraded', detail: 'Slow database.' });
  expect((await get(path)).body).toEqual({ status: 'degraded', checkedAt: at, detail: 'Slow database.' });
});

it('shows the health of one region, and the worst of all', async () => {
  const path = '/v1/services/user-service/environments/production/health';
  sandbox.setHealth('user-service', 'production', { status: 'unhealthy', detail: 'No replica.' }, 'us-east');
  const statuses = await Promise.all(
    ['?region=eu-central', '?region=us-east', ''].map(
      async (query) => (await get(`${path}${query}`)).body['status'],
    ),
  );
  expect(statuses).toEqual(['healthy', 'unhealthy', 'unhealthy']);
});

it('removes a service that no other calls', async () => {
  const remove = (name: string) =>
    send(sandbox, 'configuration', `/v1/services/${name}`, { method: 'DELETE' });
  expect((await get('/v1/services/user-service/dependants')).body).toEqual({
    dependants: ['session-service', 'recommendation-service', 'order-service', 'fraud-service'],
  });
  expect(await remove('user-service')).toMatchObject({
    status: 409,
    body: { type: expect.stringContaining('service-in-use') },
  });
  expect(await remove('recommendation-service')).toMatchObject({ status: 200 });
  expect(await remove('recommendation-service')).toMatchObject({ status: 404 });
  expect((await get('/v1/services/user-service/dependants')).body['dependants']).toHaveLength(3);
});

it('seeds a service that is unhealthy in staging', async () => {
  const { body } = await get('/v1/services/recommendation-service/environments/staging/health');
  expect(body['status']).toBe('unhealthy');
});

it('shows the deployment window that was set', async () => {
  const path = '/v1/environments/production/deployment-window';
  expect((await get(path)).body).toMatchObject({ always: false, timeZone: 'America/New_York' });
  sandbox.setDeploymentWindow('production', { always: true });
  expect((await get(path)).body).toEqual({ always: true });
});
