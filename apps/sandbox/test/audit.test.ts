import { afterEach, beforeEach, expect, it } from 'vitest';

import { type Sandbox, startSandbox } from '../src/index.ts';
import { send } from './send.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox();
});

afterEach(() => sandbox.close());

const post = (events: object[]) => send(sandbox, 'audit', '/v1/events', { method: 'POST', body: { events } });

it('keeps each event once, in the order of arrival', async () => {
  const first = await post([{ id: 'b', action: 'deploy' }, { id: 'a' }]);
  const second = await post([{ id: 'c' }, { id: 'b', action: 'changed' }]);
  expect(first.body).toEqual({ accepted: 2, duplicates: 0 });
  expect(second.body).toEqual({ accepted: 1, duplicates: 1 });
  expect(sandbox.auditEvents()).toEqual([{ id: 'b', action: 'deploy' }, { id: 'a' }, { id: 'c' }]);
});

it('is read page by page', async () => {
  await post([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  const page = async (after: number) =>
    (await send(sandbox, 'audit', `/v1/events?after=${after}&limit=2`)).body;
  expect(await page(0)).toEqual({ events: [{ id: 'a' }, { id: 'b' }], next: 2 });
  expect(await page(2)).toEqual({ events: [{ id: 'c' }], next: 3 });
  expect(await page(3)).toEqual({ events: [], next: 3 });
});

it('takes nothing of a batch in which one event has no id', async () => {
  expect((await post([{ id: 'a' }, { action: 'deploy' }])).status).toBe(400);
  expect(sandbox.auditEvents()).toEqual([]);
});

it('needs the scope audit:write', async () => {
  const token = await sandbox.issueServiceToken('mcp-server', {
    resource: sandbox.platformAudience,
    scopes: ['platform:read'],
  });
  expect((await send(sandbox, 'audit', '/v1/events', { token })).status).toBe(403);
});
