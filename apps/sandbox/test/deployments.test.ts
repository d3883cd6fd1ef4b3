import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { type Sandbox, startSandbox } from '../src/index.ts';
import { send } from './send.ts';

const request = {
  service: 'payment-service',
  version: '2.5.0',
  environment: 'staging',
  requestedBy: 'developer',
};

let sandbox: Sandbox;

afterEach(() => sandbox.close());

function post(body: object, key: string) {
  return send(sandbox, 'deployments', '/v1/deployments', {
    method: 'POST',
    body,
    headers: { 'idempotency-key': key },
  });
}

/** Starts a deployment and returns its id. */
async function start(body: object, key: string): Promise<string> {
  const started = await post(body, key);
  expect(started.status).toBe(201);
  return z.string().parse(started.body['id']);
}

const show = async (id: string) => (await send(sandbox, 'deployments', `/v1/deployments/${id}`)).body;

const rollback = (id: string) =>
  send(sandbox, 'deployments', `/v1/deployments/${id}/rollback`, {
    method: 'POST',
    body: { requestedBy: 'developer' },
  });

const version = async () => {
  const path = '/v1/services/payment-service/environments/staging/configuration';
  return (await send(sandbox, 'configuration', path)).body['version'];
};

describe('a deployment that runs', () => {
  beforeEach(async () => {
    sandbox = await startSandbox({ deploymentStepMs: 1 });
  });

  it('succeeds region by region and changes the version that runs', async () => {
    const id = await start(request, 'key-1');
    await expect.poll(() => show(id)).toMatchObject({ state: 'succeeded' });
    expect((await show(id))['progress']).toEqual({
      percent: 100,
      regions: [
        { region: 'eu-central', replaces: '2.4.1', state: 'succeeded', percent: 100 },
        { region: 'us-east', replaces: '2.4.1', state: 'succeeded', percent: 100 },
      ],
    });
    expect(await version()).toBe('2.5.0');
  });

  it('fails in the second region when the version is broken, and leaves the old version', async () => {
    const id = await start({ ...request, version: '2.5.0-broken' }, 'key-1');
    await expect
      .poll(() => show(id))
      .toMatchObject({
        state: 'failed',
        failure: { region: 'us-east' },
        progress: {
          regions: [
            { region: 'eu-central', state: 'succeeded' },
            { region: 'us-east', state: 'failed' },
          ],
        },
      });
    expect(await version()).toBe('2.4.1');
  });

  it('goes to the regions that were named, in their order, and leaves the others as they are', async () => {
    const id = await start({ ...request, regions: ['us-east'] }, 'key-1');
    await expect.poll(() => show(id)).toMatchObject({ state: 'succeeded', progress: { percent: 100 } });
    const path = '/v1/services/payment-service/environments/staging/configuration';
    expect((await send(sandbox, 'configuration', path)).body['versionByRegion']).toEqual({
      'eu-central': '2.4.1',
      'us-east': '2.5.0',
    });
    expect(await post({ ...request, regions: ['moon'] }, 'key-2')).toMatchObject({ status: 400 });
  });

  it('is undone where it has changed something, once, in the opposite order', async () => {
    const id = await start({ ...request, version: '2.5.0-broken' }, 'key-1');
    await expect.poll(() => show(id)).toMatchObject({ state: 'failed' });

    const undone = await rollback(id);
    expect(undone).toMatchObject({
      status: 201,
      body: {
        rollbackOf: id,
        version: '2.4.1',
        progress: { regions: [{ region: 'us-east' }, { region: 'eu-central' }] },
      },
    });
    expect(await rollback(id)).toMatchObject({ status: 200, body: { id: undone.body['id'] } });
    await expect.poll(() => show(String(undone.body['id']))).toMatchObject({ state: 'succeeded' });
    expect(await version()).toBe('2.4.1');
  });

  it('is unhealthy in the regions where its version does not work', async () => {
    const id = await start({ ...request, version: '2.5.0-unhealthy', regions: ['eu-central'] }, 'key-1');
    await expect.poll(() => show(id)).toMatchObject({ state: 'succeeded' });
    const path = '/v1/services/payment-service/environments/staging/health';
    const health = async (query: string) =>
      (await send(sandbox, 'configuration', `${path}${query}`)).body['status'];
    expect(await health('?region=eu-central')).toBe('unhealthy');
    expect(await health('?region=us-east')).toBe('healthy');
    expect(await health('')).toBe('unhealthy');
  });
});

describe('a deployment that stays queued', () => {
  beforeEach(async () => {
    sandbox = await startSandbox({ deploymentStepMs: 3_600_000 });
  });

  it('is announced with its address', async () => {
    const { status, headers, body } = await post(request, 'key-1');
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...request, state: 'queued', progress: { percent: 0 } });
    expect(headers.get('location')).toBe(`/v1/deployments/${String(body['id'])}`);
  });

  it('is not undone before it has ended, nor when it has changed nothing', async () => {
    const id = await start(request, 'key-1');
    expect(await rollback(id)).toMatchObject({
      status: 409,
      body: { type: expect.stringContaining('deployment-active') },
    });
    await send(sandbox, 'deployments', `/v1/deployments/${id}/cancel`, { method: 'POST' });
    expect(await rollback(id)).toMatchObject({
      status: 409,
      body: { type: expect.stringContaining('nothing-to-undo') },
    });
  });

  it('is returned again for the same key and body', async () => {
    const id = await start(request, 'key-1');
    expect(await post(request, 'key-1')).toMatchObject({ status: 200, body: { id } });
  });

  it('is not replaced by another body under the same key', async () => {
    await post(request, 'key-1');
    expect(await post({ ...request, version: '2.6.0' }, 'key-1')).toMatchObject({
      status: 422,
      body: { type: expect.stringContaining('idempotency-key-reused') },
    });
  });

  it('keeps out another one of the same service and environment only', async () => {
    await post(request, 'key-1');
    expect(await post(request, 'key-2')).toMatchObject({
      status: 409,
      body: { type: expect.stringContaining('deployment-active') },
    });
    expect((await post({ ...request, environment: 'development' }, 'key-3')).status).toBe(201);
  });

  it('is cancelled once', async () => {
    const id = await start(request, 'key-1');
    const cancel = () => send(sandbox, 'deployments', `/v1/deployments/${id}/cancel`, { method: 'POST' });
    expect(await cancel()).toMatchObject({ status: 200, body: { id, state: 'cancelled' } });
    expect(await cancel()).toMatchObject({ status: 409 });
    expect((await post(request, 'key-2')).status).toBe(201);
  });

  it('is found by service, environment and state, the newest first', async () => {
    const first = await start(request, 'key-1');
    const second = await start({ ...request, environment: 'development' }, 'key-2');
    const listed = z.object({ deployments: z.array(z.object({ id: z.string() })) });
    const ids = async (query: string): Promise<string[]> => {
      const { body } = await send(sandbox, 'deployments', `/v1/deployments?${query}`);
      return listed.parse(body).deployments.map((deployment) => deployment.id);
    };
    expect(await ids('service=payment-service')).toEqual([second, first]);
    expect(await ids('environment=staging&state=queued')).toEqual([first]);
    expect(await ids('state=failed')).toEqual([]);
  });

  it('needs an idempotency key, a known service and the scope', async () => {
    const refused = async (options: Parameters<typeof send>[3]) =>
      (await send(sandbox, 'deployments', '/v1/deployments', { method: 'POST', ...options })).status;
    const headers = { 'idempotency-key': 'key-1' };
    const token = await sandbox.issueServiceToken('mcp-server', {
      resource: sandbox.platformAudience,
      scopes: ['platform:read'],
    });
    expect(await refused({ body: request })).toBe(400);
    expect(await refused({ body: { ...request, service: 'nothing-service' }, headers })).toBe(404);
    expect(await refused({ body: request, headers, token })).toBe(403);
  });
});
