import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { createTelemetry } from '@mcp-parts/observability';
import { openSqliteStore } from '@mcp-parts/tasks';
import type { AuditIntent, AuditTrail, RateLimiter } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { assembleServer, serveHttp, type AssembleOptions, type Server } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';
import { echoTool } from './test-server.ts';

const caller = localCaller({ name: 'test', permissions: ['echo'] });
const longTool = (): ReturnType<typeof echoTool> => ({ ...echoTool(), name: 'long', longRunning: {} });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcp-ports-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A trail in memory that says nothing of its health. */
function memoryTrail(): AuditTrail & { readonly intents: AuditIntent[] } {
  const intents: AuditIntent[] = [];
  return {
    intents,
    async begin(intent) {
      intents.push(intent);
      return { finish: async () => undefined };
    },
  };
}

function assemble(options: Partial<AssembleOptions>): Promise<Server> {
  return assembleServer({
    serverInfo: { name: 'ports', version: '1.0.0' },
    definitions: { tools: [echoTool()] },
    logger: silentLogger,
    ...options,
  });
}

async function callEcho(server: Server): Promise<unknown> {
  return server.table.methods.get('tools/call')?.(
    { name: 'echo', arguments: { text: 'hello' } },
    { caller, signal: new AbortController().signal, era: '2026', transport: 'http', correlationId: 'call' },
  );
}

describe('a server that is given its parts', () => {
  it('records in the trail that it is given, and needs no state directory', async () => {
    const audit = memoryTrail();
    await using server = await assemble({ ports: { audit } });
    await expect(callEcho(server)).resolves.toMatchObject({ structuredContent: { text: 'hello' } });
    expect(audit.intents.map(({ target }) => target)).toEqual(['echo']);
    await expect(server.readiness()).resolves.toMatchObject({ state: 'ready' });
  });

  it('is ready no longer when the trail that it is given does not record', async () => {
    await using trailOwner = await assemble({ stateDirectory: directory });
    const health = trailOwner.audit.health?.();
    if (health === undefined) {
      throw new Error('its own trail has a state');
    }
    const audit = { ...memoryTrail(), health: () => ({ ...health, state: 'unavailable' as const }) };
    await using server = await assemble({ ports: { audit } });
    await expect(server.readiness()).resolves.toMatchObject({
      state: 'not_ready',
      checks: { audit: 'failed' },
    });
    expect(await server.telemetry.prometheus()).toContain('mcp_audit_recording 0\n');
  });

  it('serves over HTTP without a state directory', async () => {
    await using server = await assemble({ ports: { audit: memoryTrail() } });
    await using http = await serveHttp(server, { port: 0, gate: { unauthenticated: caller } });
    const ready = await fetch(new URL('/ready', http.url));
    expect(ready.status).toBe(200);
    expect(await ready.json()).not.toHaveProperty('audit');
  });

  it('keeps its tasks in the store that it is given, and closes it', async () => {
    const store = openSqliteStore(':memory:');
    const close = vi.spyOn(store, 'close');
    const server = await assemble({
      definitions: { tools: [echoTool(), longTool()] },
      stateDirectory: directory,
      ports: { taskStore: store },
    });
    const task = await server.tasks?.start({ kind: 'long', input: {}, ownerId: 'a' });
    expect(await store.find(task?.id ?? '')).toMatchObject({ ownerId: 'a' });
    await server.close();
    expect(close).toHaveBeenCalledOnce();
    expect(await readdir(directory)).not.toContain('tasks.db');
  });

  it('asks the rate limiter that it is given', async () => {
    const consume = vi.fn<RateLimiter['consume']>(() => ({ allowed: false, retryAfterMs: 7_000 }));
    await using server = await assemble({ stateDirectory: directory, ports: { rateLimiter: { consume } } });
    await expect(callEcho(server)).resolves.toMatchObject({
      isError: true,
      content: [{ text: 'Too many calls. Nothing was done. Wait 7 s, then try again.' }],
    });
    expect(consume).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^caller:/u), {
      perMinute: 100,
      weight: 1,
    });
  });

  it('leaves the telemetry that it is given to its owner', async () => {
    await using telemetry = createTelemetry({ serviceName: 'mine', serviceVersion: '1' });
    const server = await assemble({ stateDirectory: directory, ports: { telemetry } });
    await server.close();
    expect(await telemetry.prometheus()).toContain('mcp_audit_recording');
  });

  it('keeps its tasks in the state directory when it is given a trail', async () => {
    const definitions = { tools: [longTool()] };
    await using _server = await assemble({
      definitions,
      stateDirectory: directory,
      ports: { audit: memoryTrail() },
    });
    const names = await readdir(directory, { recursive: true });
    expect(names).toContain('tasks.db');
    expect(names.filter((name) => name.includes('audit'))).toEqual([]);
  });
});

describe('a server without a state directory', () => {
  it('is refused when it has no trail', async () => {
    await expect(assemble({})).rejects.toThrow(
      new TypeError('stateDirectory: required for the audit trail, unless ports has an audit'),
    );
  });

  it('is refused when it has tasks and no engine', async () => {
    const definitions = { tools: [echoTool(), longTool()] };
    await expect(assemble({ definitions, ports: { audit: memoryTrail() } })).rejects.toThrow(
      new TypeError('stateDirectory: required for the tasks, unless ports has a taskStore'),
    );
  });
});
