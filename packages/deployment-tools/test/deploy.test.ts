import type { CallContext } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { DeploymentToolsOptions } from '../src/index.ts';
import { definitionsOf, openTime, paths, startPlatform, target, type Platform } from './fake-platform.ts';
import { problem, reset } from './fake-upstream.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
});

afterEach(() => platform[Symbol.asyncDispose]());

const regions = ['eu-central', 'us-east'] as const;
type Region = (typeof regions)[number];
const ids: Readonly<Record<Region, string>> = { 'eu-central': 'dep-1', 'us-east': 'dep-2' };

/** The deployment to one region, as the API shows it. */
function shown(region: Region, state: string, percent: number, more: object = {}) {
  const inRegion = state === 'queued' ? 'pending' : state;
  return {
    json: {
      id: ids[region],
      ...target,
      requestedBy: 'https://issuer.test#ada',
      state,
      progress: { percent, regions: [{ region, state: inRegion, percent }] },
      ...more,
    },
  };
}

const create = 'POST /v1/deployments';
const look = (region: Region) => `GET /v1/deployments/${ids[region]}`;
const cancel = (region: Region) => `POST /v1/deployments/${ids[region]}/cancel`;
const rollback = (region: Region) => `POST /v1/deployments/${ids[region]}/rollback`;
const find = (region: Region) => `GET /v1/deployments?idempotencyKey=task-1.${region}`;
const health = (region: Region) =>
  `GET /v1/services/payment-service/environments/production/health?region=${region}`;
const healthy = { json: { status: 'healthy', checkedAt: '2026-03-10T16:00:00.000Z', detail: '' } };
const unhealthy = {
  json: { status: 'unhealthy', checkedAt: '2026-03-10T16:00:00.000Z', detail: '12 % of requests fail.' },
};
const broken = { failure: { region: 'us-east', reason: 'New replicas did not become ready in time.' } };

/** Both regions deploy and are healthy. */
function allGoesWell() {
  platform.upstream.on(create, ...regions.map((region) => ({ status: 201, ...shown(region, 'queued', 0) })));
  for (const region of regions) {
    platform.upstream.on(look(region), shown(region, 'running', 50), shown(region, 'succeeded', 100));
    platform.upstream.on(health(region), healthy);
  }
}

/** The second region fails. */
function secondFails() {
  allGoesWell();
  platform.upstream.on(look('us-east'), shown('us-east', 'failed', 50, broken));
}

function run(
  options: Partial<DeploymentToolsOptions> = {},
  signal = new AbortController().signal,
  { attempt = 1, steps = new Map<string, unknown>(), ...input }: RunOf = {},
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
    // As the engine keeps steps: across runs.
    async once(key, work) {
      if (!steps.has(key)) {
        steps.set(key, await work());
      }
      return steps.get(key) as Awaited<ReturnType<typeof work>>;
    },
  };
  return { reports, ended: tool.handle({ ...target, ...input }, context) };
}

/** Which run of the task it is, what earlier ones have kept, and what else the call asks for. */
interface RunOf {
  readonly attempt?: number;
  readonly steps?: Map<string, unknown>;
  readonly regions?: readonly string[];
  readonly rollBackOnFailure?: boolean;
}

function byOwner(): Error {
  return Object.assign(new Error('cancelled by the owner'), { code: 'cancelled' });
}

/** A task whose signal aborts during the first wait. */
function cancelledRun(reason: Error = byOwner(), input: RunOf = {}) {
  const controller = new AbortController();
  return run(
    {
      async wait(_delayMs, signal) {
        controller.abort(reason);
        signal.throwIfAborted();
      },
    },
    controller.signal,
    input,
  );
}

function sent(route: string) {
  return platform.upstream.requests.filter(({ method, path }) => `${method} ${path}` === route);
}

it('deploys to one region after the other, under the id of the task, and reports every step', async () => {
  allGoesWell();
  const { reports, ended } = run();
  expect(await ended).toEqual({
    ...target,
    regions: ['eu-central', 'us-east'],
    deploymentIds: ['dep-1', 'dep-2'],
  });
  expect(reports.map(({ message }) => message)).toEqual([
    'Checking the prerequisites.',
    'eu-central pending, us-east pending.',
    'eu-central 50 %, us-east pending.',
    'eu-central succeeded, us-east pending.',
    'eu-central succeeded, us-east 50 %.',
    'eu-central succeeded, us-east succeeded.',
  ]);
  expect(reports.map(({ percent }) => Math.round(percent))).toEqual([0, 0, 25, 50, 75, 100]);
  // What is no further reaches nobody.
  expect(reports.slice(1).every(({ percent }, index) => percent > (reports[index]?.percent ?? 0))).toBe(true);
  expect(sent(create)).toEqual(
    regions.map((region) => ({
      method: 'POST',
      path: '/v1/deployments',
      idempotencyKey: `task-1.${region}`,
      body: { ...target, regions: [region], requestedBy: 'https://issuer.test#ada' },
    })),
  );
});

it('deploys to the regions that were named, in their order', async () => {
  allGoesWell();
  platform.upstream.on(create, shown('us-east', 'succeeded', 100), shown('eu-central', 'succeeded', 100));
  const { ended } = run({}, undefined, { regions: ['us-east', 'eu-central'] });
  expect(await ended).toMatchObject({ regions: ['us-east', 'eu-central'] });
  expect(sent(create).map(({ body }) => body)).toMatchObject([
    { regions: ['us-east'] },
    { regions: ['eu-central'] },
  ]);
});

it('deploys nothing to a region that the environment does not have, and names those it has', async () => {
  await expect(run({}, undefined, { regions: ['moon'] }).ended).rejects.toMatchObject({
    code: 'unknown_region',
    publicMessage: 'Nothing was deployed: production has no region moon. Choose from eu-central, us-east.',
  });
  expect(sent(create)).toEqual([]);
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
  allGoesWell();
  const delays: number[] = [];
  const wait = async (delayMs: number) => void delays.push(delayMs);
  await run({ wait, pollIntervalMs: 50 }).ended;
  expect(delays).toEqual([50, 50, 50, 50]);
});

describe('between two regions', () => {
  it('waits until the service is healthy in the first', async () => {
    allGoesWell();
    platform.upstream.on(health('eu-central'), unhealthy, problem(503, 'Overloaded'), healthy);
    const { reports, ended } = run();
    await ended;
    expect(reports.map(({ message }) => message)).toContain(
      'eu-central succeeded, us-east pending; waiting until payment-service is healthy in eu-central.',
    );
    expect(sent(health('eu-central'))).toHaveLength(3);
    expect(sent(create)).toHaveLength(2);
  });

  it.each([
    [unhealthy, 'payment-service is unhealthy there: "12 % of requests fail."'],
    [problem(403, 'No.'), 'whether payment-service is healthy there is not known'],
  ])('stops when it does not become healthy in time', async (answer, words) => {
    allGoesWell();
    platform.upstream.on(health('eu-central'), answer);
    const { ended } = run({ healthyWithinMs: 4_000 });
    await expect(ended).rejects.toMatchObject({
      code: 'unhealthy',
      publicMessage: expect.stringContaining(words),
    });
    await expect(ended).rejects.toMatchObject({
      publicMessage: expect.stringMatching(
        /Regions: eu-central succeeded, us-east pending\. Nothing was rolled back: tell the person, and ask/u,
      ),
    });
    expect(sent(health('eu-central'))).toHaveLength(3);
    expect(sent(create)).toHaveLength(1);
  });
});

describe('when a region fails', () => {
  it('stops, with the region and the reason, and says what runs where', async () => {
    secondFails();
    await expect(run().ended).rejects.toMatchObject({
      code: 'deployment_failed',
      publicMessage:
        'Deployment dep-2 of payment-service 2.5.0 to production failed in us-east: "New replicas did not become ready in time." Regions: eu-central succeeded, us-east failed. Nothing was rolled back: tell the person, and ask whether to bring back what ran before in eu-central, us-east.',
    });
  });

  const undone = (id: string, state: string, more: object = {}) => ({
    json: { ...shown('eu-central', state, 100, more).json, id, version: '2.4.0' },
  });

  function rollsBack() {
    secondFails();
    platform.upstream.on(rollback('us-east'), { status: 201, ...undone('dep-3', 'running') });
    platform.upstream.on('GET /v1/deployments/dep-3', undone('dep-3', 'succeeded'));
    platform.upstream.on(rollback('eu-central'), { status: 201, ...undone('dep-4', 'running') });
    platform.upstream.on('GET /v1/deployments/dep-4', undone('dep-4', 'succeeded'));
  }

  it.each([
    ['the call asks for it', {}, { rollBackOnFailure: true }],
    ['the policy wants it', { rollBackOnFailure: { production: true } }, {}],
  ])('brings back what ran before, the last region first, where %s', async (_who, options, input) => {
    rollsBack();
    const { reports, ended } = run(options, undefined, input);
    await expect(ended).rejects.toMatchObject({
      code: 'deployment_failed',
      publicMessage: expect.stringContaining('Rolled back: us-east to 2.4.0, eu-central to 2.4.0.'),
    });
    expect(reports.at(-1)?.message).toBe(
      'eu-central succeeded, us-east failed; rolling back eu-central to 2.4.0, 100 %.',
    );
    const posts = platform.upstream.requests.filter(({ method }) => method === 'POST');
    expect(posts.map(({ path }) => path).slice(2)).toEqual([
      '/v1/deployments/dep-2/rollback',
      '/v1/deployments/dep-1/rollback',
    ]);
  });

  it('leaves it where the call says so, whatever the policy', async () => {
    rollsBack();
    const { ended } = run({ rollBackOnFailure: { production: true } }, undefined, {
      rollBackOnFailure: false,
    });
    await expect(ended).rejects.toThrow('Nothing was rolled back');
    expect(sent(rollback('us-east'))).toEqual([]);
  });

  it('rolls back when the service does not become healthy', async () => {
    rollsBack();
    platform.upstream.on(health('eu-central'), unhealthy);
    const { ended } = run({ healthyWithinMs: 0 }, undefined, { rollBackOnFailure: true });
    await expect(ended).rejects.toMatchObject({
      code: 'unhealthy',
      publicMessage: expect.stringContaining('Rolled back: eu-central to 2.4.0.'),
    });
  });

  it.each([
    ['is refused', { 'POST /v1/deployments/dep-2/rollback': problem(409, 'Another is active.') }],
    ['fails', { 'GET /v1/deployments/dep-3': undone('dep-3', 'failed', broken) }],
  ])('says so when the rollback %s', async (_how, answers) => {
    rollsBack();
    for (const [route, answer] of Object.entries(answers)) {
      platform.upstream.on(route, answer);
    }
    await expect(run({}, undefined, { rollBackOnFailure: true }).ended).rejects.toMatchObject({
      code: 'rollback_failed',
      publicMessage: expect.stringMatching(
        /^Deployment dep-2 .* failed in us-east.*The rollback of us-east/u,
      ),
    });
  });

  it('goes on with the rollback of an earlier run, and is not kept from it by a cancellation', async () => {
    rollsBack();
    platform.upstream.on(find('eu-central'), {
      json: { deployments: [shown('eu-central', 'succeeded', 100).json] },
    });
    platform.upstream.on(find('us-east'), {
      json: { deployments: [shown('us-east', 'failed', 50, broken).json] },
    });
    const steps = new Map<string, unknown>([
      ['regions', regions],
      ['healthy in eu-central', null],
    ]);
    const { ended } = run({}, AbortSignal.abort(byOwner()), { attempt: 2, steps, rollBackOnFailure: true });
    await expect(ended).rejects.toThrow('Rolled back: us-east to 2.4.0, eu-central to 2.4.0.');
    expect(sent(create)).toEqual([]);
  });
});

it('fails when somebody cancels the deployment in the deployment system, and rolls nothing back', async () => {
  allGoesWell();
  platform.upstream.on(look('eu-central'), shown('eu-central', 'cancelled', 50));
  const { ended } = run({}, undefined, { rollBackOnFailure: true });
  await expect(ended).rejects.toMatchObject({ code: 'deployment_cancelled' });
  expect(sent(rollback('eu-central'))).toEqual([]);
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

  it('says which regions have the new version already', async () => {
    allGoesWell();
    platform.upstream.on(
      create,
      shown('eu-central', 'succeeded', 100),
      problem(409, 'Deployment dep-7 is running.'),
    );
    await expect(run().ended).rejects.toMatchObject({
      code: 'conflict',
      publicMessage: expect.stringMatching(
        /Wait until it has ended.*Regions: eu-central succeeded, us-east pending\./u,
      ),
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
    allGoesWell();
    platform.upstream.on(
      look('eu-central'),
      problem(503, 'Overloaded'),
      reset,
      shown('eu-central', 'succeeded', 100),
    );
    await expect(run().ended).resolves.toMatchObject({ deploymentIds: ['dep-1', 'dep-2'] });
  });

  it('gives up after five minutes of silence and says that the deployment may still be running', async () => {
    allGoesWell();
    platform.upstream.on(look('eu-central'), problem(503, 'Overloaded'));
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
    expect(sent(look('eu-central'))).toHaveLength(5);
  });

  it('gives up at once when the API does not know the deployment any more', async () => {
    platform.upstream.on(create, shown('eu-central', 'queued', 0));
    await expect(run().ended).rejects.toMatchObject({
      code: 'status_unknown',
      publicMessage: expect.stringContaining('does not know this deployment any more'),
    });
  });
});

describe('when an earlier run did not end', () => {
  const planned = () => new Map<string, unknown>([['regions', regions]]);
  const found = (region: Region, state: string, percent: number) =>
    platform.upstream.on(find(region), { json: { deployments: [shown(region, state, percent).json] } });

  it('follows what that run started, and starts and checks only what is left', async () => {
    allGoesWell();
    found('eu-central', 'running', 50);
    platform.upstream.on(find('us-east'), { json: { deployments: [] } });
    platform.upstream.on(create, shown('us-east', 'queued', 0));
    const { ended } = run({}, undefined, { attempt: 2, steps: planned() });
    await expect(ended).resolves.toMatchObject({ deploymentIds: ['dep-1', 'dep-2'] });
    expect(sent(create).map(({ idempotencyKey }) => idempotencyKey)).toEqual(['task-1.us-east']);
    expect(sent(`GET ${paths.compatibility}`)).toEqual([]);
  });

  it('does not decide again whether a region was healthy', async () => {
    allGoesWell();
    found('eu-central', 'succeeded', 100);
    found('us-east', 'running', 50);
    platform.upstream.on(health('eu-central'), unhealthy);
    const steps = planned().set('healthy in eu-central', null);
    await run({ healthyWithinMs: 0 }, undefined, { attempt: 2, steps }).ended;
    expect(sent(health('eu-central'))).toEqual([]);
    expect(sent(create)).toEqual([]);
  });

  it('checks and deploys when that run had started nothing', async () => {
    allGoesWell();
    platform.upstream.on(find('eu-central'), { json: { deployments: [] } });
    await run({}, undefined, { attempt: 2, steps: planned() }).ended;
    expect(sent(`GET ${paths.compatibility}`)).toHaveLength(1);
    expect(sent(create)).toHaveLength(2);
  });

  it('starts nothing when it cannot find out', async () => {
    platform.upstream.on(find('eu-central'), problem(503, 'Overloaded'));
    await expect(run({}, undefined, { attempt: 2 }).ended).rejects.toMatchObject({ code: 'status_unknown' });
    expect(sent(create)).toEqual([]);
  });

  it('cancels what that run started when it is to be cancelled', async () => {
    found('eu-central', 'running', 50);
    platform.upstream.on(find('us-east'), { json: { deployments: [] } });
    platform.upstream.on(cancel('eu-central'), shown('eu-central', 'cancelled', 50));
    const { ended } = run(
      { wait: async (_ms, signal) => signal.throwIfAborted() },
      AbortSignal.abort(byOwner()),
      { attempt: 2, steps: planned() },
    );
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent(cancel('eu-central'))).toHaveLength(1);
  });
});

describe('when the task is cancelled', () => {
  it('cancels the deployment at the upstream, and starts no other', async () => {
    allGoesWell();
    platform.upstream.on(cancel('eu-central'), shown('eu-central', 'cancelled', 0));
    const { reports, ended } = cancelledRun();
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent(cancel('eu-central'))).toHaveLength(1);
    expect(sent(create)).toHaveLength(1);
    expect(reports.at(-1)?.message).toBe(
      'Deployment dep-1 was cancelled; regions that were finished keep the new version.',
    );
  });

  it('says so when the deployment could not be cancelled', async () => {
    allGoesWell();
    platform.upstream.on(cancel('eu-central'), problem(500, 'Oops'));
    const { reports, ended } = cancelledRun();
    await expect(ended).rejects.toMatchObject({ code: 'cancel_failed' });
    expect(reports.at(-1)?.message).toContain('could not be cancelled and may still be running');
  });

  it('completes when the last deployment had succeeded before', async () => {
    allGoesWell();
    platform.upstream.on(cancel('eu-central'), problem(409, 'Deployment dep-1 has already succeeded.'));
    platform.upstream.on(look('eu-central'), shown('eu-central', 'succeeded', 100));
    const { ended } = cancelledRun(byOwner(), { regions: ['eu-central'] });
    await expect(ended).resolves.toMatchObject({ deploymentIds: ['dep-1'] });
  });

  it('is left running when the server shuts down', async () => {
    allGoesWell();
    const { ended } = cancelledRun(Object.assign(new Error('shutdown'), { code: 'interrupted' }));
    await expect(ended).rejects.toThrow('shutdown');
    expect(sent(cancel('eu-central'))).toHaveLength(0);
  });

  it('does not cut off the request that starts the deployment, so that it can be cancelled', async () => {
    const controller = new AbortController();
    platform.upstream.on(create, (response) => {
      controller.abort(byOwner());
      response
        .writeHead(201, { 'content-type': 'application/json' })
        .end(JSON.stringify(shown('eu-central', 'queued', 0).json));
    });
    platform.upstream.on(cancel('eu-central'), shown('eu-central', 'cancelled', 0));
    const { ended } = run({ wait: async (_delayMs, signal) => signal.throwIfAborted() }, controller.signal);
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent(cancel('eu-central'))).toHaveLength(1);
  });

  it('starts nothing when it is cancelled during the checks', async () => {
    const controller = new AbortController();
    platform.upstream.on(`GET ${paths.window}`, () => controller.abort(byOwner()));
    await expect(run({}, controller.signal).ended).rejects.toThrow('cancelled by the owner');
    expect(sent(create)).toEqual([]);
  });
});
