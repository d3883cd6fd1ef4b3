import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { auditEventSchema, type AuditEvent } from '@mcp-parts/audit';
import { AuthError, localCaller, type Authenticator, type Caller } from '@mcp-parts/auth';
import type { Logger } from '@mcp-parts/tool-kit';

import {
  assembleServer,
  serveHttp,
  type AssembleOptions,
  type HttpServer,
  type Server,
} from '../src/index.ts';

/** Logs nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The token of {@link caller}. */
export const goodToken = 'the-good-token';

/** Who may call everything that a test offers. */
export const caller: Caller = {
  ...localCaller({ name: 'ada', permissions: ['things:read', 'things:write'] }),
  displayName: 'Ada Lovelace',
  email: 'ada@example.test',
  scopes: ['things:read'],
};

/** A whole server over HTTP with a real trail on disk. */
export interface AuditedServer extends AsyncDisposable {
  readonly server: Server;
  readonly http: HttpServer;
  readonly stateDirectory: string;
  /** The events on disk, oldest first. */
  readonly events: () => Promise<AuditEvent[]>;
}

export async function startAuditedServer(
  options: Omit<AssembleOptions, 'serverInfo' | 'stateDirectory' | 'logger' | 'authorizer'> &
    Partial<AssembleOptions>,
): Promise<AuditedServer> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-audited-'));
  const server = await assembleServer({
    serverInfo: { name: 'audited', version: '1.0.0' },
    authorizer: { decide: () => ({ allowed: true, rule: 'test' }) },
    rateLimitPerMinute: 1_000_000,
    logger: silentLogger,
    stateDirectory,
    ...options,
  });
  const http = await serveHttp(server, {
    port: 0,
    gate: {
      authenticator: onlyGoodToken,
      resource: 'https://mcp.example.test/mcp',
      authorizationServers: ['https://issuer.example.test'],
      scopes: ['things:read', 'things:write'],
      basicScopes: ['things:read'],
    },
    drainMs: 0,
    maxRefusalsPerMinute: 1_000_000,
  });
  return {
    server,
    http,
    stateDirectory,
    events: () => eventsIn(stateDirectory),
    async [Symbol.asyncDispose]() {
      await http.close();
      await server.close();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}

/** The events in a state directory, oldest first. */
export async function eventsIn(stateDirectory: string): Promise<AuditEvent[]> {
  const directory = join(stateDirectory, '1', 'audit');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return texts
    .join('')
    .split('\n')
    .filter((line) => line.includes('"event":{'))
    .map((line) => auditEventSchema.parse((JSON.parse(line) as { event: unknown }).event));
}

// The gate asks for nothing else of it.
const onlyGoodToken = {
  async authenticate(header) {
    if (header === `Bearer ${goodToken}`) {
      return caller;
    }
    throw new AuthError(header === undefined ? 'missing_token' : 'invalid_token', {
      message: 'not the good token',
    });
  },
} satisfies Pick<Authenticator, 'authenticate'> as unknown as Authenticator;
