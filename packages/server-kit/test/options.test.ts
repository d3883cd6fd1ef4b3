import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { assembleServer, serveHttp, serveStdio, type Server } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';
import { echoTool, openServer } from './test-server.ts';

let server: Server;
let stateDirectory: string;
beforeAll(async () => {
  server = await openServer();
  stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-options-'));
});
afterAll(async () => {
  await server.close();
  await rm(stateDirectory, { recursive: true, force: true });
});

const caller = localCaller({ name: 'test', permissions: ['echo'] });

/** Each factory with its numeric options; opening must fail before anything is open. */
const factories = {
  serveHttp: {
    open: (options: object) => serveHttp(server, { port: 0, gate: { unauthenticated: caller }, ...options }),
    numbers: [
      'port',
      'maxSessions',
      'maxSessionsPerCaller',
      'sessionIdleMs',
      'readinessDelayMs',
      'drainMs',
      'maxConnections',
      'maxConnectionsPerAddress',
      'maxInFlight',
      'maxInFlightPerCaller',
      'maxStreams',
      'maxStreamsPerCaller',
      'maxRefusalsPerMinute',
      'maxEventBytes',
      'maxBodyBytes',
    ],
  },
  serveStdio: {
    open: (options: object) => serveStdio(server, { caller, signal: AbortSignal.abort(), ...options }),
    numbers: ['drainMs'],
  },
  assembleServer: {
    open: (options: object) =>
      assembleServer({
        serverInfo: { name: 'test', version: '1.0.0' },
        definitions: { tools: [echoTool()] },
        logger: silentLogger,
        stateDirectory,
        ...options,
      }),
    numbers: [
      'rateLimitPerMinute',
      'serverRateLimitPerMinute',
      'maxConcurrentCalls',
      'serverMaxConcurrentCalls',
      'terminationGraceMs',
      'deadlineMs',
      'maxOutputBytes',
      'answerBytes',
      'pageSize',
      'listTtlMs',
    ],
  },
} as const;

const rows = Object.entries(factories).flatMap(([factory, { open, numbers }]) =>
  numbers.flatMap((name) =>
    [Number.NaN, -1, 0.5, Infinity, 2 ** 31, '5'].map((value) => ({ factory, name, value, open })),
  ),
);

describe('an option that is no sensible number', () => {
  it.each(rows)('such as $name: $value is refused by $factory, by name', async ({ name, value, open }) => {
    const error = await open({ [name]: value }).then(
      () => 'accepted',
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RangeError);
    expect(String(error)).toMatch(
      new RegExp(`^RangeError: ${name} must be a whole number from \\d+ to \\d+`, 'u'),
    );
    expect(String(error)).toMatch(new RegExp(`, got ${String(value)}\\b`, 'u'));
  });

  it.each(['rateLimitPerMinute'])('such as %s: 0 is refused', async (name) => {
    await expect(factories.assembleServer.open({ [name]: 0 })).rejects.toThrow(
      `${name} must be a whole number`,
    );
  });

  it('such as too long a readiness delay is refused with what to change', async () => {
    await expect(factories.serveHttp.open({ readinessDelayMs: 45_000 })).rejects.toThrow(
      'readinessDelayMs must be a whole number from 0 to 13000 with a terminationGraceMs of 30000, got 45000: lower it, or raise terminationGraceMs to 62000',
    );
  });

  it('such as more time for calls than the shutdown has is refused', async () => {
    await expect(factories.serveHttp.open({ readinessDelayMs: 5_000, drainMs: 11_001 })).rejects.toThrow(
      'drainMs must be a whole number from 0 to 11000, got 11001',
    );
    await expect(factories.serveStdio.open({ drainMs: 16_001 })).rejects.toThrow(
      'drainMs must be a whole number from 0 to 16000, got 16001',
    );
  });

  it.each([Number.NaN, -1, '5'])('such as auditKeepDays: %s is refused', async (auditKeepDays) => {
    await expect(factories.assembleServer.open({ auditKeepDays })).rejects.toThrow(
      /^(?:auditK|k)eepDays must be /u,
    );
  });
});

it('needs no authorizer: a call then needs its permission by name', async () => {
  await using assembled = await factories.assembleServer.open({});
  const call = (permissions: readonly string[]) =>
    assembled.table.methods.get('tools/call')?.(
      { name: 'echo', arguments: { text: 'hello' } },
      {
        caller: { id: 'local#test', kind: 'user', groups: [], permissions },
        signal: new AbortController().signal,
        era: '2026',
        transport: 'stdio',
        correlationId: 'call',
      },
    );
  await expect(call(['echo'])).resolves.toMatchObject({ structuredContent: { text: 'hello' } });
  await expect(call([])).rejects.toThrow(/Unknown tool/u);
});
