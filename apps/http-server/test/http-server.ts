import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Sandbox } from '@mcp-parts/sandbox';
import {
  mcpResource,
  serverProgram,
  serverSettings,
  startProgram,
  type Exit,
  type RunningProgram,
} from '@mcp-parts/sandbox/testing';

/** The program of this app. */
export const program = serverProgram(new URL('../', import.meta.url));

/** The HTTP server as a process of its own. */
export interface TestServer extends AsyncDisposable {
  /** Where it listens, without a path. */
  readonly origin: string;
  /** Its endpoint. */
  readonly url: string;
  readonly process: RunningProgram;
  readonly stateDirectory: string;
  readonly stop: (signal?: NodeJS.Signals) => Promise<Exit>;
}

/** Starts the server on a free port and waits until it listens. */
export async function startServer(
  sandbox: Sandbox,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-http-server-'));
  const process = startProgram(program, {
    env: { ...serverSettings(sandbox), PORT: '0', STATE_DIRECTORY: stateDirectory, ...settings },
  });
  const url = String((await process.logged('listening'))['url']);
  return {
    origin: new URL(url).origin,
    url,
    process,
    stateDirectory,
    stop: (signal) => process.stop(signal),
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}

/** All scopes that a person can have. */
export const allScopes = ['deploy:read', 'deploy:development', 'deploy:staging', 'deploy:production'];

/** An access token for the server. */
export function tokenFor(
  sandbox: Sandbox,
  user: 'developer' | 'release-manager' | 'viewer',
  scopes: readonly string[] = allScopes,
): Promise<string> {
  return sandbox.issueUserToken(user, { resource: mcpResource, scopes });
}

/** A number from the metrics; 0 while there is none. */
export async function metric(server: TestServer, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${server.origin}/metrics`)).text();
  return Number(pattern.exec(text)?.[1] ?? 0);
}
