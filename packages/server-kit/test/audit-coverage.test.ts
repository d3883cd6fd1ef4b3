import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { AuditEvent, AuditOutcomeEvent } from '@mcp-parts/audit';
import { definePrompt, defineResource, defineTool, PublicError } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { caller, eventsIn, goodToken, startAuditedServer, type AuditedServer } from './audited-server.ts';
import { openClient } from './mcp-request.ts';

const started = Promise.withResolvers<void>();
// The sources say `using`, which Node 22 has not.
const canRunSources = Number.parseInt(process.versions.node, 10) >= 24;

/** A tool that changes something, in as many ways as a call can end. */
const act = defineTool({
  name: 'act',
  title: 'Act',
  description: 'Acts.',
  input: z.strictObject({
    how: z.enum(['ok', 'report', 'throw', 'throw at once', 'reject', 'never', 'mistake', 'flood']),
  }),
  // A text of a fixed form is never cut.
  output: z.object({ done: z.string().regex(/^\w+$/u) }),
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  permission: 'things:write',
  deadlineMs: 60_000,
  audit: ({ how }) => ({ resource: `things/${how}` }),
  handle({ how }) {
    switch (how) {
      case 'throw':
        return Promise.reject(new Error('unexpected'));
      case 'throw at once':
        throw new Error('unexpected');
      case 'reject':
        return Promise.reject(new PublicError('things_busy', 'Try later.'));
      case 'never':
        started.resolve();
        return new Promise(() => undefined);
      case 'mistake':
        // What a schema is there to catch.
        return Promise.resolve({ done: 7 as unknown as string });
      case 'flood':
        return Promise.resolve({ done: 'x'.repeat(100_000) });
      case 'ok':
      case 'report':
        return Promise.resolve({ done: how });
      default:
        return how satisfies never;
    }
  },
  text: ({ done }) => done,
  isFailure: ({ done }) => done === 'report',
});
// Reads only, so that it makes no difference whether the time is up before or after it begins.
const slow = defineTool({
  ...act,
  name: 'slow',
  annotations: { ...act.annotations, readOnly: true },
  deadlineMs: 1,
});
const hidden = defineTool({ ...act, name: 'hidden', permission: 'things:hidden' });
const definitions = {
  tools: [act, slow, hidden],
  resources: [
    defineResource({
      name: 'thing',
      title: 'Thing',
      description: 'One thing.',
      uriTemplate: 'thing://{id}',
      parameters: z.object({ id: z.string() }),
      permission: 'things:read',
      list: () => Promise.resolve([]),
      read: ({ id }) => Promise.resolve(id === '1' ? { id } : undefined),
    }),
  ],
  prompts: [
    definePrompt({
      name: 'plan',
      title: 'Plan',
      description: 'Plans.',
      arguments: z.object({ goal: z.string() }),
      permission: 'things:read',
      render: ({ goal }) => goal,
    }),
  ],
};

type Result = AuditOutcomeEvent['result'];

/** What a call must leave behind: one intent and then its outcome, and nothing else. */
function expectOneCall(events: readonly AuditEvent[], result: Result, reason: string | undefined): void {
  const [intent, outcome] = events;
  expect(events.map(({ stage }) => stage)).toEqual(['intent', 'outcome']);
  expect(outcome).toMatchObject({ intentId: intent?.id, result, correlationId: intent?.correlationId });
  expect(outcome?.stage === 'outcome' && outcome.reason).toBe(reason);
}

const tool = (name: string, how: string) => ({ method: 'tools/call', params: { name, arguments: { how } } });

const exits: readonly [string, { method: string; params: object }, Result, string | undefined][] = [
  ['an answer', tool('act', 'ok'), 'success', undefined],
  ['an answer that reports a failure', tool('act', 'report'), 'failure', 'reported_failure'],
  ['a handler that throws', tool('act', 'throw at once'), 'unknown', 'internal'],
  ['a handler that rejects', tool('act', 'throw'), 'unknown', 'internal'],
  ['a failure in public words', tool('act', 'reject'), 'failure', 'things_busy'],
  ['a timeout', tool('slow', 'never'), 'failure', 'deadline_exceeded'],
  ['an output that fails its schema', tool('act', 'mistake'), 'success', 'output_invalid'],
  ['an output that is too large', tool('act', 'flood'), 'success', 'output_too_large'],
  ['invalid arguments', tool('act', 'somehow'), 'failure', 'invalid_input'],
  ['an unknown tool', tool('drop_database', 'ok'), 'denied', 'unknown_target'],
  ['a hidden tool', tool('hidden', 'ok'), 'denied', 'missing_permission'],
  ['a resource', { method: 'resources/read', params: { uri: 'thing://1' } }, 'success', undefined],
  [
    'a resource without content',
    { method: 'resources/read', params: { uri: 'thing://2' } },
    'failure',
    'reported_failure',
  ],
  [
    'an unknown resource',
    { method: 'resources/read', params: { uri: 'other://2' } },
    'denied',
    'unknown_target',
  ],
  [
    'a prompt',
    { method: 'prompts/get', params: { name: 'plan', arguments: { goal: 'peace' } } },
    'success',
    undefined,
  ],
  [
    'a prompt without its argument',
    { method: 'prompts/get', params: { name: 'plan' } },
    'failure',
    'invalid_input',
  ],
];

async function eventsOf(
  audited: AuditedServer,
  era: '2025' | '2026',
  send: { method: string; params: object },
) {
  const client = await openClient(audited.http.url, era, goodToken);
  const before = (await audited.events()).length;
  await client.send(send.method, send.params);
  return (await audited.events()).slice(before);
}

describe.each(['2025', '2026'] as const)('every exit of a call in the era of %s', (era) => {
  it.each(exits)('%s leaves one intent and one outcome', async (_name, send, result, reason) => {
    await using audited = await startAuditedServer({ definitions });
    const events = await eventsOf(audited, era, send);
    expectOneCall(events, result, reason);
    expect(events[0]).toMatchObject({
      action: send.method,
      era,
      transport: 'http',
      sourceAddress: '127.0.0.1',
      server: { name: 'audited', version: '1.0.0' },
      actor: { id: 'local#ada', kind: 'user', sealed: expect.stringMatching(/^v1\./u) },
    });
  });

  it('a denial by policy names the rule', async () => {
    const decision = { allowed: false, reason: 'missing_group', rule: 'policy.yaml:7' } as const;
    await using audited = await startAuditedServer({ definitions, authorizer: { decide: () => decision } });
    const events = await eventsOf(audited, era, tool('act', 'ok'));
    expectOneCall(events, 'denied', 'missing_group');
    expect(events[0]).toMatchObject({ rule: 'policy.yaml:7', resource: 'things/ok' });
  });

  it.each([
    ['missing_scope', 'insufficient_scope'],
    ['unavailable', 'unavailable'],
  ] as const)('a denial at the gate before the call: %s', async (reason, code) => {
    const rule = 'policy.yaml:9';
    const authorizer = { decide: () => ({ allowed: false, reason, rule }) as const };
    await using audited = await startAuditedServer({ definitions, authorizer });
    const events = await eventsOf(audited, era, tool('act', 'ok'));
    expectOneCall(events, 'denied', code);
    expect(events[0]).toMatchObject({
      action: 'tools/call',
      target: 'act',
      actor: { id: 'local#ada' },
      rule,
      era,
    });
  });

  it('a rate limit', async () => {
    await using audited = await startAuditedServer({
      definitions,
      // Each of the two clients opens its session first, where there are any.
      rateLimitPerMinute: era === '2025' ? 3 : 1,
    });
    await eventsOf(audited, era, tool('act', 'ok'));
    const events = await eventsOf(audited, era, tool('act', 'ok'));
    expectOneCall(events, 'denied', 'rate_limited');
    expect(events[0]).toMatchObject({ target: 'act' });
  });

  it('lists leave nothing behind', async () => {
    await using audited = await startAuditedServer({ definitions });
    for (const method of ['tools/list', 'resources/list', 'prompts/list']) {
      expect(await eventsOf(audited, era, { method, params: {} })).toEqual([]);
    }
  });
});

describe('every exit that no tool sees', () => {
  it('each refused call of a batch leaves one intent and one outcome', async () => {
    const authorizer = { decide: () => ({ allowed: false, reason: 'missing_scope' }) as const };
    await using audited = await startAuditedServer({ definitions, authorizer });
    const calls = ['act', 'slow', 'act'].map((name, id) => ({ jsonrpc: '2.0', id, ...tool(name, 'ok') }));
    const post = (body: object, more: Readonly<Record<string, string>> = {}) =>
      fetch(audited.http.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${goodToken}`, 'content-type': 'application/json', ...more },
        body: JSON.stringify(body),
      });
    const opened = await post({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: {
        protocolVersion: '2025-03-26',
        capabilities: {},
        clientInfo: { name: 'raw', version: '1' },
      },
    });
    const response = await post(calls, { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' });
    expect(response.status).toBe(403);
    const events = await audited.events();
    const intents = events.filter(({ stage }) => stage === 'intent');
    // JSON-RPC 2.0 §6: the calls of a batch have no order.
    expect(intents.map(({ target }) => target).toSorted()).toEqual(['act', 'act', 'slow']);
    for (const { id } of intents) {
      const own = events.filter((event) => event.id === id || ('intentId' in event && event.intentId === id));
      expectOneCall(own, 'denied', 'insufficient_scope');
    }
  });

  it.each([
    ['a wrong token', { authorization: 'Bearer other' }, 'invalid_token'],
    ['no token', {}, 'missing_token'],
  ])('%s leaves one intent and one outcome', async (_name, headers, reason) => {
    await using audited = await startAuditedServer({ definitions });
    const response = await fetch(audited.http.url, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(401);
    const events = await audited.events();
    expectOneCall(events, 'denied', reason);
    expect(events[0]).toMatchObject({ action: 'authenticate', actor: { kind: 'anonymous' } });
  });

  it('a cancelled call leaves one intent and one outcome', async () => {
    await using audited = await startAuditedServer({ definitions });
    const abort = new AbortController();
    const { method, params } = tool('act', 'never');
    const running = audited.server.table.methods.get(method)?.(params, {
      caller,
      signal: abort.signal,
      era: '2026',
      transport: 'http',
      correlationId: 'cancelled-call',
    });
    await started.promise;
    abort.abort(new Error('the client went away'));
    await running;
    const events = await audited.events();
    expectOneCall(events, 'unknown', 'cancelled');
    expect(events[0]).toMatchObject({ correlationId: 'cancelled-call' });
  });

  it.runIf(canRunSources)('a kill -9 leaves one intent, and the next start its outcome', async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-killed-'));
    const program = fileURLToPath(new URL('running-call.fixture.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=@mcp-parts/source', program, stateDirectory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(createInterface({ input: child.stderr }), 'line');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await eventsIn(stateDirectory)).map(({ stage }) => stage)).toEqual(['intent']);
    {
      await using restarted = await startAuditedServer({ definitions, stateDirectory });
      expect(restarted.server.audit.health?.().state).toBe('ok');
      const [intent, outcome, ...more] = await eventsIn(stateDirectory);
      expectOneCall(
        [intent, outcome].filter((event) => event !== undefined),
        'unknown',
        'interrupted',
      );
      expect(more).toEqual([]);
    }
    await rm(stateDirectory, { recursive: true, force: true });
  });
});
