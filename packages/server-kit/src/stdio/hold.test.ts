import type { Caller, MethodHandler, MethodTable, RequestContext } from '@mcp-parts/tool-kit';
import { describe, expect, it, vi } from 'vitest';

import { Stopped } from '../server/stopped.ts';
import { holdCalls } from './hold.ts';

const nobody: Caller = { id: '', kind: 'user', groups: [], permissions: [] };
const ann: Caller = { id: 'issuer#ann', kind: 'user', groups: ['staff'], permissions: ['echo'] };

function setUp({ holdMs = 60_000 } = {}) {
  const stop = new AbortController();
  const held = holdCalls({ tools: {} }, { holdMs, stop: stop.signal });
  const request: RequestContext = {
    caller: nobody,
    signal: new AbortController().signal,
    era: '2025',
    transport: 'stdio',
    correlationId: 'one',
  };
  return { stop, held, call: (method = 'tools/call') => held.table.methods.get(method)?.({}, request) };
}

/** A server whose calls end so. */
function serverThat(answer: MethodHandler): MethodTable {
  return {
    capabilities: { tools: {} },
    headerParameters: new Map(),
    methods: new Map([
      ['tools/list', () => Promise.resolve({ tools: [] })],
      ['tools/call', answer],
    ]),
  };
}

describe('holdCalls', () => {
  it('lets a call wait for its server, and makes it for the caller of that', async () => {
    const { held, call } = setUp();
    const waiting = call();
    const seen = vi.fn<(caller: Caller) => void>();
    const table = serverThat(async (_, { caller }) => {
      seen(caller);
      return {};
    });
    held.release({ table, caller: ann });
    await waiting;
    await call();
    expect(seen.mock.calls).toEqual([[ann], [ann]]);
    expect(held.running()).toBe(0);
  });

  it('does not let it wait for ever', async () => {
    const { call } = setUp({ holdMs: 1 });
    await expect(call()).rejects.toMatchObject({ code: -32603, data: { reason: 'starting' } });
  });

  it('ends a call that waits, and one that runs, when the server stops', async () => {
    const { stop, held, call } = setUp();
    const waiting = call();
    stop.abort(new Stopped());
    await expect(waiting).rejects.toMatchObject({ code: -32603, data: { reason: 'server_stopped' } });

    const other = setUp();
    const reason = Promise.withResolvers<unknown>();
    const table = serverThat((_, { signal }) => {
      signal.addEventListener('abort', () => reason.resolve(signal.reason));
      return reason.promise.then(() => ({}));
    });
    other.held.release({ table, caller: ann });
    const running = other.call();
    other.stop.abort(new Stopped());
    await expect(reason.promise).resolves.toMatchObject({ code: 'server_stopped' });
    await running;
    await other.held.settled(60_000);
    await held.settled(60_000);
  });

  it('waits for what still runs no longer than it is told', async () => {
    const { held, call } = setUp();
    held.release({ table: serverThat(() => new Promise(() => undefined)), caller: ann });
    void call();
    await held.settled(1);
    expect(held.running()).toBe(1);
  });

  it('refuses a server that offers something else than was announced', () => {
    const { held } = setUp();
    const table = { ...serverThat(() => Promise.resolve({})), capabilities: { tools: {}, prompts: {} } };
    expect(() => held.release({ table, caller: ann })).toThrow(
      'capabilities must be those of the server, {"prompts":{},"tools":{}}, got {"tools":{}}',
    );
  });
});
