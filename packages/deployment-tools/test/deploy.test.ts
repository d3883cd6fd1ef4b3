import type { CallContext } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { DeploymentToolsOptions } from '../src/index.ts';
import {
  definitionsOf,
  deployment,
  openTime,
  paths,
  startPlatform,
  target,
  type Platform,
} from './fake-platform.ts';
import { problem, reset } from './fake-upstream.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
});

afterEach(() => platform[Symbol.asyncDispose]());

const queued = deployment('queued', ['pending', 0], ['pending', 0]);
const halfway = deployment('running', ['succeeded', 100], ['running', 50]);
const succeeded = deployment('succeeded', ['succeeded', 100], ['succeeded', 100]);
const create = 'POST /v1/deployments';
const look = 'GET /v1/deployments/dep-1';
const cancel = 'POST /v1/deployments/dep-1/cancel';

function run(
  options: Partial<DeploymentToolsOptions> = {},
  signal = new AbortController().signal,
  attempt = 1,
) {
  const tool = definitionsOf(platform, options).tools?.find(({ name }) => name === 'trigger_deployment');
  if (tool === undefined) {
    throw new Error('no tool');
  }
  const reports: { readonly percent: number; readonly message: string }[] = [];
  const context: CallContext = {
    caller: { id: 'https://issuer.test#ada', kind: 'user', groups: [], permissions: [] },
    signal,
    deadlineAt: Date.now() + 60_000,
    correlationId: 'ref-1',
    meta: {},
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    progress: (percent, _total, message = '') => void reports.push({ percent, message }),
    log() {},
    onUpstreamCall() {},
    task: { id: 'task-1', attempt },
    ask: () => Promise.reject(new Error('it asks nothing')),
    once: async (_key, work) => work(),
  };
  return { reports, ended: tool.handle(target, context) };
}

function byOwner(): Error {
  return Object.assign(new Error('cancelled by the owner'), { code: 'cancelled' });
}

/** A task whose signal aborts during the first wait. */
function cancelledRun(reason: Error = byOwner()) {
  const controller = new AbortController();
  return run(
    {
      async wait(_delayMs, signal) {
        controller.abort(reason);
        signal.throwIfAborted();
      },
    },
    controller.signal,
  );
}

function sent(route: string) {
  return platform.upstream.requests.filter(({ method, path }) => `${method} ${path}` === route);
}

it('deploys under the id of the task and reports every step by region', async () => {
  platform.upstream.on(create, { status: 201, ...queued });
  platform.upstream.on(look, halfway, succeeded);
  const { reports, ended } = run();
  expect(await ended).toEqual({
    deploymentId: 'dep-1',
    ...target,
    regions: [
      { region: 'eu-central', state: 'succeeded', percent: 100 },
      { region: 'us-east', state: 'succeeded', percent: 100 },
    ],
  });
  expect(reports).toEqual([
    { percent: 0, message: 'Checking the prerequisites.' },
    { percent: 0, message: 'eu-central pending, us-east pending.' },
    { percent: 75, message: 'eu-central succeeded, us-east 50 %.' },
    { percent: 100, message: 'eu-central succeeded, us-east succeeded.' },
  ]);
  expect(sent(create)).toEqual([
    {
      method: 'POST',
      path: '/v1/deployments',
      idempotencyKey: 'task-1',
      body: { ...target, requestedBy: 'https://issuer.test#ada' },
    },
  ]);
});

it('deploys nothing when a prerequisite fails, and names it', async () => {
  platform.upstream.on(`GET ${paths.fraudHealth}`, {
    json: { status: 'unhealthy', checkedAt: '2026-03-10T15:59:00.000Z', detail: 'No replica is ready.' },
  });
  await expect(run().ended).rejects.toMatchObject({
    code: 'prerequisites_failed',
    publicMessage: expect.stringContaining('- dependency fraud-service (failed): fraud-service is unhealthy'),
  });
  expect(sent(create)).toEqual([]);
});

it('waits as long as it was told between two looks', async () => {
  platform.upstream.on(create, queued);
  platform.upstream.on(look, halfway, succeeded);
  const delays: number[] = [];
  const wait = async (delayMs: number) => void delays.push(delayMs);
  await run({ wait }).ended;
  await run({ wait, pollIntervalMs: 50 }).ended;
  // The second run sees the deployment ended at its first look.
  expect(delays).toEqual([2_000, 2_000, 50]);
});

it('fails with the region and the reason when the deployment fails', async () => {
  platform.upstream.on(create, queued);
  platform.upstream.on(
    look,
    deployment('failed', ['succeeded', 100], ['failed', 50], {
      failure: { region: 'us-east', reason: 'New replicas did not become ready in time.' },
    }),
  );
  await expect(run().ended).rejects.toMatchObject({
    code: 'deployment_failed',
    publicMessage:
      'Deployment dep-1 of payment-service 2.5.0 to production failed in us-east: "New replicas did not become ready in time." Regions: eu-central succeeded, us-east failed.',
  });
});

it('fails when somebody cancels the deployment in the deployment system', async () => {
  platform.upstream.on(create, queued);
  platform.upstream.on(look, deployment('cancelled', ['succeeded', 100], ['cancelled', 50]));
  await expect(run().ended).rejects.toMatchObject({ code: 'deployment_cancelled' });
});

describe('when the deployment API refuses', () => {
  it.each([
    [403, 'forbidden', 'Do not try again; tell the person you work for to ask the owner'],
    [404, 'not_found', 'Call list_services for the names that exist.'],
    [409, 'conflict', 'Wait until it has ended, run check_deployment_prerequisites'],
  ])('%i: says what to do next and quotes the upstream', async (status, code, advice) => {
    platform.upstream.on(create, problem(status, 'Deployment dep-7 is still running there.'));
    const { ended } = run();
    await expect(ended).rejects.toMatchObject({ code, publicMessage: expect.stringContaining(advice) });
    await expect(ended).rejects.toMatchObject({
      publicMessage: expect.stringContaining('"Deployment dep-7 is still running there."'),
    });
  });
});

it('does not pretend to know whether a deployment started when the answer was lost', async () => {
  platform.upstream.on(create, reset);
  await expect(run().ended).rejects.toMatchObject({
    code: 'network',
    publicMessage: expect.stringContaining('may or may not have started'),
  });
});

describe('when the state cannot be read', () => {
  it('goes on after a short outage', async () => {
    platform.upstream.on(create, queued);
    platform.upstream.on(look, problem(503, 'Overloaded'), reset, succeeded);
    await expect(run().ended).resolves.toMatchObject({ deploymentId: 'dep-1' });
  });

  it('gives up after five minutes of silence and says that the deployment may still be running', async () => {
    platform.upstream.on(create, queued);
    platform.upstream.on(look, problem(503, 'Overloaded'));
    let now = openTime;
    const { ended } = run({
      now: () => now,
      async wait() {
        now += 60_000;
      },
    });
    await expect(ended).rejects.toMatchObject({
      code: 'status_unknown',
      publicMessage: expect.stringContaining('was started and may still be running'),
    });
    expect(sent(look)).toHaveLength(5);
  });

  it('gives up at once when the API does not know the deployment any more', async () => {
    platform.upstream.on(create, queued);
    await expect(run().ended).rejects.toMatchObject({
      code: 'status_unknown',
      publicMessage: expect.stringContaining('does not know this deployment any more'),
    });
  });
});

describe('when an earlier run did not end', () => {
  const find = 'GET /v1/deployments?idempotencyKey=task-1';

  it('follows what that run started, and starts and checks nothing', async () => {
    platform.upstream.on(find, { json: { deployments: [halfway.json] } });
    platform.upstream.on(look, succeeded);
    const { ended } = run({}, undefined, 2);
    await expect(ended).resolves.toMatchObject({ deploymentId: 'dep-1' });
    expect(sent(create)).toEqual([]);
    expect(sent(`GET ${paths.configuration}`)).toEqual([]);
  });

  it('deploys when that run had started nothing', async () => {
    platform.upstream.on(find, { json: { deployments: [] } });
    platform.upstream.on(create, { status: 201, ...queued });
    platform.upstream.on(look, succeeded);
    await run({}, undefined, 2).ended;
    expect(sent(create)).toHaveLength(1);
  });

  it('starts nothing when it cannot find out', async () => {
    platform.upstream.on(find, problem(503, 'Overloaded'));
    await expect(run({}, undefined, 2).ended).rejects.toMatchObject({ code: 'status_unknown' });
    expect(sent(create)).toEqual([]);
  });

  it('cancels what that run started when it is to be cancelled', async () => {
    platform.upstream.on(find, { json: { deployments: [halfway.json] } });
    platform.upstream.on(cancel, deployment('cancelled', ['succeeded', 100], ['cancelled', 50]));
    const { ended } = run(
      { wait: async (_ms, signal) => signal.throwIfAborted() },
      AbortSignal.abort(byOwner()),
      2,
    );
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent(cancel)).toHaveLength(1);
  });
});

describe('when the task is cancelled', () => {
  it('cancels the deployment at the upstream', async () => {
    platform.upstream.on(create, queued);
    platform.upstream.on(cancel, deployment('cancelled', ['cancelled', 0], ['cancelled', 0]));
    const { reports, ended } = cancelledRun();
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent(cancel)).toHaveLength(1);
    expect(reports.at(-1)?.message).toBe(
      'Deployment dep-1 was cancelled; regions that were finished keep the new version.',
    );
  });

  it('says so when the deployment could not be cancelled', async () => {
    platform.upstream.on(create, queued);
    platform.upstream.on(cancel, problem(500, 'Oops'));
    const { reports, ended } = cancelledRun();
    await expect(ended).rejects.toMatchObject({ code: 'cancel_failed' });
    expect(reports.at(-1)?.message).toContain('could not be cancelled and may still be running');
  });

  it('completes when the deployment had succeeded before', async () => {
    platform.upstream.on(create, queued);
    platform.upstream.on(cancel, problem(409, 'Deployment dep-1 has already succeeded.'));
    platform.upstream.on(look, succeeded);
    await expect(cancelledRun().ended).resolves.toMatchObject({ deploymentId: 'dep-1' });
  });

  it('is left running when the server shuts down', async () => {
    platform.upstream.on(create, queued);
    const { ended } = cancelledRun(Object.assign(new Error('shutdown'), { code: 'interrupted' }));
    await expect(ended).rejects.toThrow('shutdown');
    expect(sent(cancel)).toHaveLength(0);
  });

  it('does not cut off the request that starts the deployment, so that it can be cancelled', async () => {
    const controller = new AbortController();
    platform.upstream.on(create, (response) => {
      controller.abort(byOwner());
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(queued.json));
    });
    platform.upstream.on(cancel, deployment('cancelled', ['cancelled', 0], ['cancelled', 0]));
    const { ended } = run({ wait: async (_delayMs, signal) => signal.throwIfAborted() }, controller.signal);
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent(cancel)).toHaveLength(1);
  });

  it('starts nothing when it is cancelled during the checks', async () => {
    const controller = new AbortController();
    platform.upstream.on(`GET ${paths.window}`, () => controller.abort(byOwner()));
    await expect(run({}, controller.signal).ended).rejects.toThrow('cancelled by the owner');
    expect(sent(create)).toEqual([]);
  });
});
