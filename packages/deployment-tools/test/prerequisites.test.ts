import { afterEach, beforeEach, expect, it } from 'vitest';

import { definitionsOf, mcpClient, openTime, paths, startPlatform, target } from './fake-platform.ts';
import type { Platform } from './fake-platform.ts';
import { problem, reset, silence } from './fake-upstream.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
});

afterEach(() => platform[Symbol.asyncDispose]());

async function check(now = openTime, input: Record<string, string> = target) {
  const call = mcpClient(definitionsOf(platform, { now: () => now }));
  const result = await call('tools/call', { name: 'check_deployment_prerequisites', arguments: input });
  // The shape that every tools/call has; the members are what this file asserts.
  return result as unknown as Answered;
}

interface Answered {
  readonly isError?: boolean | undefined;
  readonly structuredContent?: Found | undefined;
  readonly content: [{ readonly text: string }];
}

interface Found {
  readonly ready: boolean;
  readonly passed: string[];
  readonly failed: {
    readonly check: string;
    readonly status: string;
    readonly reason: string;
    readonly nextStep: string;
  }[];
}

it('reports every check that passed', async () => {
  const { isError, structuredContent, content } = await check();
  expect(isError).toBeUndefined();
  expect(structuredContent).toEqual({
    ready: true,
    passed: ['configuration', 'version', 'dependency ledger-service', 'dependency fraud-service', 'window'],
    failed: [],
    nextStep: 'Ask the person to confirm, then call trigger_deployment.',
  });
  expect(content[0].text).toContain('Ready: payment-service 2.5.0 to production may be deployed.');
});

it('runs all checks and reports each one that failed, with what to do', async () => {
  platform.upstream.on(`GET ${paths.configuration}`, problem(404, 'There is no service payment-service.'));
  platform.upstream.on(`GET ${paths.compatibility}`, {
    json: { compatible: false, reasons: ['Refunds above 1,000 fail.'] },
  });
  platform.upstream.on(`GET ${paths.fraudHealth}`, {
    json: { status: 'degraded', checkedAt: '2026-03-10T15:59:00.000Z', detail: 'One queue lags.' },
  });
  const { isError, structuredContent, content } = await check(Date.parse('2026-03-13T16:00:00Z'));
  expect(isError).toBe(true);
  expect(structuredContent?.ready).toBe(false);
  expect(structuredContent?.passed).toEqual(['dependency ledger-service']);
  expect(structuredContent?.failed.map(({ check, status }) => [check, status])).toEqual([
    ['configuration', 'failed'],
    ['version', 'failed'],
    ['dependency fraud-service', 'failed'],
    ['window', 'failed'],
  ]);
  expect(content[0].text).toMatchInlineSnapshot(`
    "Not ready: 4 of 5 checks failed for payment-service 2.5.0 to production.
    - configuration (failed): The configuration service does not know that service there. The configuration service said: "There is no service payment-service." Next: Take the name from list_services; if it is right, ask the owner of the service to set it up there.
    - version (failed): Not compatible with production: "Refunds above 1,000 fail." Next: Choose another version, or do first what the reason names; ask the person which.
    - dependency fraud-service (failed): fraud-service is degraded in production, at 2026-03-10T15:59:00.000Z: "One queue lags." Next: Do not deploy until fraud-service is healthy; tell the person, and check again when they ask.
    - window (failed): The deployment window of production is closed; it is Fri 2026-03-13 12:00 America/New_York. Next: Wait until it opens on Mon 2026-03-16 10:00 America/New_York, then check again.
    Passed: dependency ledger-service.
    Next: Do not trigger it. Tell the person each failed check, its reason and its next step."
  `);
});

it('reports a check whose upstream fails as unknown, goes on with the others, and is not ready', async () => {
  platform.upstream.on(`GET ${paths.compatibility}`, problem(503, 'Overloaded'));
  platform.upstream.on(`GET ${paths.ledgerHealth}`, reset);
  platform.upstream.on(`GET ${paths.window}`, { json: { always: false, timeZone: 'Mars/Olympus' } });
  const { isError, structuredContent } = await check();
  expect(isError).toBe(true);
  expect(structuredContent?.failed.map(({ check, status }) => [check, status])).toEqual([
    ['version', 'unknown'],
    ['dependency ledger-service', 'unknown'],
    ['window', 'unknown'],
  ]);
  expect(structuredContent?.passed).toEqual(['configuration', 'dependency fraud-service']);
});

it('does not call the health of dependencies good when it cannot learn the dependencies', async () => {
  platform.upstream.on(`GET ${paths.dependencies}`, problem(500, 'Oops'));
  const { structuredContent } = await check();
  expect(structuredContent?.failed.map(({ check, status }) => [check, status])).toEqual([
    ['dependencies', 'unknown'],
  ]);
});

it('takes the window of the configuration service before the default one', async () => {
  platform.upstream.on(`GET ${paths.window}`, {
    json: { always: false, timeZone: 'Europe/Berlin', days: ['Fri'], opensAt: '16:00', closesAt: '18:00' },
  });
  const friday = Date.parse('2026-03-13T16:00:00Z');
  expect((await check(friday)).structuredContent?.passed).toContain('window');
  expect((await check()).structuredContent?.failed).toEqual([
    {
      check: 'window',
      status: 'failed',
      reason: 'The deployment window of production is closed; it is Tue 2026-03-10 17:00 Europe/Berlin.',
      nextStep: 'Wait until it opens on Fri 2026-03-13 16:00 Europe/Berlin, then check again.',
    },
  ]);
});

it('asks the independent questions at once', async () => {
  const waiting: (() => void)[] = [];
  const first = [paths.configuration, paths.compatibility, paths.dependencies, paths.window];
  for (const path of first) {
    platform.upstream.on(`GET ${path}`, (response) => {
      waiting.push(() => response.writeHead(404).end());
      // Nothing is answered before all four have arrived.
      if (waiting.length === first.length) {
        for (const answer of waiting) {
          answer();
        }
      }
    });
  }
  const { structuredContent } = await check();
  expect(structuredContent?.failed).toHaveLength(3);
});

it('stops when the call is cancelled, instead of calling everything unknown', async () => {
  const controller = new AbortController();
  platform.upstream.on(`GET ${paths.configuration}`, () => controller.abort());
  platform.upstream.on(`GET ${paths.window}`, silence);
  const call = mcpClient(definitionsOf(platform));
  const params = { name: 'check_deployment_prerequisites', arguments: target };
  const result = await call('tools/call', params, controller.signal);
  expect(result['isError']).toBe(true);
  expect(JSON.stringify(result['content'])).toContain('The call was cancelled.');
});

it('tells a model how to correct its arguments', async () => {
  const { isError, content } = await check(openTime, {
    service: '../etc',
    version: 'latest',
    environment: 'prod',
  });
  expect(isError).toBe(true);
  expect(content[0].text).toBe(
    'Invalid arguments for check_deployment_prerequisites. service: must be 3-50 characters of a-z, 0-9 and -; version: must be a semantic version such as 2.4.1 or 2.5.0-rc.1, without a leading v; environment: must be development, staging or production. Correct them and try again.',
  );
  expect(platform.upstream.requests).toEqual([]);
});
