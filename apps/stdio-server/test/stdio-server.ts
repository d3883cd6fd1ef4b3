import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import {
  mcpResource,
  serverProgram,
  serverSettings,
  startProgram,
  type Program,
  type RunningProgram,
} from '@mcp-parts/sandbox/testing';

/** The program of this app. */
export const program = serverProgram(new URL('../', import.meta.url));

/** What the tests of a file share: a platform, and a folder for what the servers keep. */
export interface World extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: string;
  /** The settings of a server that works for this person, or for nobody in particular. */
  readonly settings: (user?: 'developer' | 'release-manager' | 'viewer') => Promise<Record<string, string>>;
}

/** Starts the platform. */
export async function createWorld(): Promise<World> {
  const sandbox = await startSandbox({ mcpResource });
  const folder = await mkdtemp(join(tmpdir(), 'mcp-stdio-server-'));
  return {
    sandbox,
    folder,
    async settings(user) {
      const settings = { ...serverSettings(sandbox), STATE_DIRECTORY: join(folder, 'state') };
      if (user === undefined) {
        return settings;
      }
      const scopes = ['deploy:read', 'deploy:development', 'deploy:staging', 'deploy:production'];
      return {
        ...settings,
        ACCESS_TOKEN: await sandbox.issueUserToken(user, { resource: mcpResource, scopes }),
      };
    },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A server whose lines the test writes itself. */
export interface RawServer extends RunningProgram {
  readonly send: (...messages: readonly (string | object)[]) => void;
}

/** Starts a server without a client in between. */
export function startRaw(env: Readonly<Record<string, string>>, started: Program = program): RawServer {
  const running = startProgram(started, { env });
  return {
    ...running,
    send(...messages) {
      for (const message of messages) {
        running.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
      }
    },
  };
}

/** What 2026-07-28 puts into the parameters of every request. */
export const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1.0.0' },
};

/** The probe of a client that speaks 2026-07-28. */
export const discover = {
  jsonrpc: '2.0',
  id: 'probe',
  method: 'server/discover',
  params: { _meta: envelope },
};

/** The messages that a server has written, as soon as one has this id. */
export async function answerTo(server: RawServer, id: number | string | null): Promise<Message> {
  for (let count = 1; ; count += 1) {
    const lines = await server.lines(count);
    const found = lines.map((line) => JSON.parse(line) as Message).find((message) => message.id === id);
    if (found !== undefined) {
      return found;
    }
    count = lines.length;
  }
}

/** What a server has written on one line. */
export interface Message {
  readonly id?: number | string | null;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** The outcomes in the trail of the server that was alone in this state directory, oldest first. */
export async function outcomesIn(stateDirectory: string): Promise<readonly Outcome[]> {
  const directory = join(stateDirectory, '1', 'audit');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return texts
    .join('')
    .split('\n')
    .filter((line) => line.includes('"stage":"outcome"'))
    .map((line) => (JSON.parse(line) as { readonly event: Outcome }).event);
}

/** How a call ended. */
export interface Outcome {
  readonly target: string;
  readonly result: string;
  readonly reason?: string;
}

/** The first message of a client of the 2025 era. */
export const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1.0.0' },
  },
} as const;

/** What a client of the 2025 era says next. */
export const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' } as const;

/** The same tool call in either era. */
export function toolCall(era: '2025' | '2026', id: number, name: string, args: object = {}): object {
  const params = { name, arguments: args, ...(era === '2026' ? { _meta: envelope } : {}) };
  return { jsonrpc: '2.0', id, method: 'tools/call', params };
}
