import { setTimeout as sleep } from 'node:timers/promises';

import { createEventBus } from '@mcp-parts/tool-kit';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import type { McpApp } from '../src/index.ts';
import { echoApp, echoTable, initialize, legacyCall, modern, openSession, post } from './mcp-requests.ts';

type Headers = Readonly<Record<string, string>>;

const call2026 = modern('tools/call', { name: 'echo', arguments: { text: 'hi' } });
const listen = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } };

/** What a client may send, and lose interest in. */
const kinds: Readonly<
  Record<string, (app: McpApp, session: Headers, signal: AbortSignal) => Promise<Response>>
> = {
  call: (app, session, signal) => post(app, legacyCall('hi', 2), session, signal),
  'call as a stream': (app, session, signal) =>
    post(app, legacyCall('hi', 2), { ...session, accept: 'text/event-stream' }, signal),
  'call of 2026': (app, _session, signal) => post(app, call2026.body, call2026.headers, signal),
  cancellation: (app, session, signal) => post(app, cancel, session, signal),
  initialize: (app, _session, signal) => post(app, initialize(), {}, signal),
  batch: (app, session, signal) => post(app, [legacyCall('hi', 2), cancel], session, signal),
  stream: (app, session, signal) => send(app, 'GET', session, signal),
  'lost stream': (app, session, signal) =>
    send(app, 'GET', { ...session, 'last-event-id': 'none_1_1' }, signal),
  subscription: (app, _session, signal) => post(app, listen.body, listen.headers, signal),
  end: (app, session, signal) => send(app, 'DELETE', session, signal),
  nonsense: (app, session, signal) => post(app, '{', session, signal),
};

function send(app: McpApp, method: string, headers: Headers, signal: AbortSignal): Promise<Response> {
  const request = {
    method,
    headers: { accept: 'text/event-stream', 'x-api-key': 'ann', ...headers },
    signal,
  };
  return app.fetch(new Request('http://mcp.test/mcp', request));
}

const step = fc.record({
  kind: fc.constantFrom(...Object.keys(kinds)),
  session: fc.nat(1),
  /** In milliseconds; `undefined` reads the answer to its end. */
  leavesAfter: fc.option(fc.nat(6), { nil: undefined }),
});

describe('requests that are abandoned at any moment', () => {
  it('give back every place that they held', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const table = echoTable({ before: () => sleep(3) }, { events: createEventBus() });
        const app = echoApp({ table, maxSessions: 3, maxStreamsPerCaller: 2 });
        try {
          const sessions = [
            await openSession(app),
            await openSession(app, {}, { protocolVersion: '2025-03-26' }),
          ];
          await Promise.all(
            steps.map(async ({ kind, session, leavesAfter }) => {
              const leaving = new AbortController();
              const timer = setTimeout(() => leaving.abort(), leavesAfter ?? 20);
              const answer = await kinds[kind]?.(app, sessions[session] ?? {}, leaving.signal);
              leaving.signal.addEventListener(
                'abort',
                () => void answer?.body?.cancel().catch(() => undefined),
              );
              await (leaving.signal.aborted ? answer?.body?.cancel() : answer?.text().catch(() => undefined));
              clearTimeout(timer);
            }),
          );
          await vi.waitFor(() => expect(app.open()).toMatchObject({ calls: 0, streams: 0 }));
          // Nor is a session kept from sleep: three new ones find their places.
          for (let count = 0; count < 3; count += 1) {
            expect((await post(app, initialize())).status).toBe(200);
          }
        } finally {
          await app.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
