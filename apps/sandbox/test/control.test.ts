import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startSandbox, type Sandbox } from '../src/index.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox();
});

afterEach(() => sandbox.close());

const health = (): Promise<Response> => fetch(`${sandbox.urls.deployments}/health`);

describe('faults', () => {
  it('answers the chosen status with Retry-After before it looks at the token', async () => {
    await sandbox.faults.set('deployments', { kind: 'status', status: 503, retryAfterSeconds: 7 });
    const response = await fetch(`${sandbox.urls.deployments}/v1/deployments`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
  });

  it('ends by itself after the given number of requests', async () => {
    await sandbox.faults.set('deployments', { kind: 'status', status: 500, times: 2 });
    const statuses = [(await health()).status, (await health()).status, (await health()).status];
    expect(statuses).toEqual([500, 500, 200]);
    expect(sandbox.faults.current()).toEqual({});
  });

  it('resets the connection', async () => {
    await sandbox.faults.set('deployments', { kind: 'reset' });
    await expect(health()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  });

  it('answers cut-off JSON', async () => {
    await sandbox.faults.set('deployments', { kind: 'malformed' });
    const response = await health();
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow(SyntaxError);
  });

  it('sends the true body in several pieces', async () => {
    await sandbox.faults.set('deployments', { kind: 'drip', bytesPerSecond: 100 });
    const response = await health();
    const pieces: string[] = [];
    for await (const piece of response.body ?? []) {
      pieces.push(new TextDecoder().decode(piece));
    }
    expect(pieces.join('')).toBe('{"status":"ok"}');
    expect(pieces.length).toBeGreaterThan(1);
  });

  it('keeps the caller waiting', async () => {
    await sandbox.faults.set('deployments', { kind: 'latency', ms: 60_000 });
    const caller = new AbortController();
    const answer = fetch(`${sandbox.urls.deployments}/health`, { signal: caller.signal });
    await vi.waitFor(() => expect(sandbox.requests('deployments')).toHaveLength(1));
    caller.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('refuses connections while down and answers on the same port afterwards', async () => {
    await sandbox.faults.set('deployments', { kind: 'down' });
    await expect(health()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await sandbox.faults.clear('deployments');
    expect((await health()).status).toBe(200);
  });

  it('disturbs the identity provider like any other service', async () => {
    await sandbox.faults.set('identity', { kind: 'status', status: 500 });
    expect((await fetch(`${sandbox.urls.identity}/jwks`)).status).toBe(500);
  });

  it('leaves the other services alone', async () => {
    await sandbox.faults.set('deployments', { kind: 'down' });
    expect((await fetch(`${sandbox.urls.configuration}/health`)).status).toBe(200);
  });
});

describe('control port', () => {
  const send = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${sandbox.urls.control}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });

  it('sets, shows and clears a fault', async () => {
    expect((await send('PUT', '/faults/audit', { kind: 'status', status: 502 })).status).toBe(204);
    expect(await (await send('GET', '/faults')).json()).toEqual({ audit: { kind: 'status', status: 502 } });
    expect((await fetch(`${sandbox.urls.audit}/health`)).status).toBe(502);
    expect((await send('DELETE', '/faults/audit')).status).toBe(204);
    expect((await fetch(`${sandbox.urls.audit}/health`)).status).toBe(200);
  });

  it('refuses a fault it does not know', async () => {
    const response = await send('PUT', '/faults/audit', { kind: 'gremlin' });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });
});

describe('request log', () => {
  it('keeps every request with its headers, disturbed or not', async () => {
    await sandbox.faults.set('deployments', { kind: 'status', status: 500 });
    await fetch(`${sandbox.urls.deployments}/v1/deployments?state=failed`, {
      method: 'GET',
      headers: { 'idempotency-key': 'key-1' },
    });
    expect(sandbox.requests('deployments')).toMatchObject([
      { method: 'GET', path: '/v1/deployments?state=failed', headers: { 'idempotency-key': 'key-1' } },
    ]);
  });
});
