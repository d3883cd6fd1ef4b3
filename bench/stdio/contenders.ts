import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource, serverSettings } from '@mcp-parts/sandbox/testing';

/** The first request of a client, which tells its era. */
export type Opening = 'initialize' | 'server/discover';

/** A program that is started again and again. */
export interface Contender {
  readonly name: string;
  readonly file: string;
  readonly openings: readonly Opening[];
  readonly environment: Readonly<Record<string, string>>;
}

export const FLOOR = 'floor (no dependency)';
export const SDK_2 = 'SDK 2';
/** For nobody in particular: it may only read. */
export const OURS = 'ours';
/** For a person, whose token the identity provider vouches for. */
export const OURS_WITH_TOKEN = 'ours, access token';

const BOTH = ['initialize', 'server/discover'] as const;

/** The contenders, and the platform that ours is told about. */
export interface World extends AsyncDisposable {
  readonly contenders: readonly Contender[];
}

/** Starts the platform: an identity provider and the services behind the tools, on loopback. */
export async function openWorld(): Promise<World> {
  const sandbox = await startSandbox({ mcpResource });
  const folder = await mkdtemp(join(tmpdir(), 'mcp-bench-stdio-'));
  const settings = { ...serverSettings(sandbox), STATE_DIRECTORY: join(folder, 'state') };
  const token = await sandbox.issueUserToken('developer', {
    resource: mcpResource,
    scopes: ['deploy:read', 'deploy:staging'],
  });
  const peer = (file: string) => fileURLToPath(new URL(`servers/${file}`, import.meta.url));
  // What is built, as users start it; the state directory is there, as it is from the second start on.
  const ours = fileURLToPath(new URL('../../apps/stdio-server/dist/main.js', import.meta.url));
  return {
    contenders: [
      { name: FLOOR, file: peer('floor.mjs'), openings: BOTH, environment: {} },
      { name: SDK_2, file: peer('sdk-2.mjs'), openings: BOTH, environment: {} },
      { name: 'SDK 1.32', file: peer('sdk-1.mjs'), openings: ['initialize'], environment: {} },
      { name: 'fastmcp 4', file: peer('fastmcp.mjs'), openings: ['initialize'], environment: {} },
      { name: OURS, file: ours, openings: BOTH, environment: settings },
      {
        name: OURS_WITH_TOKEN,
        file: ours,
        openings: BOTH,
        environment: { ...settings, ACCESS_TOKEN: token },
      },
    ],
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
