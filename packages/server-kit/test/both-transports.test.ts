import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  Client,
  StreamableHTTPClientTransport,
  type ClientOptions,
  type Transport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startGuardedServer, type GuardedServer } from './guarded-server.ts';

const fixture = fileURLToPath(new URL('guarded-stdio.fixture.ts', import.meta.url));
// The fixture and the sources say `using`, which Node 22 has not.
const canRunSources = Number.parseInt(process.versions.node, 10) >= 24;

let guarded: GuardedServer;
let folder: string;
beforeAll(async () => {
  guarded = await startGuardedServer();
  folder = await mkdtemp(join(tmpdir(), 'mcp-guarded-stdio-'));
});
afterAll(async () => {
  await guarded[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Era = keyof typeof eras;
const eras = { '2025': 'legacy', '2026': { pin: '2026-07-28' } } as const;

/** Real pipes to a process of its own. */
const overStdio = (token: string): Transport =>
  new StdioClientTransport({
    command: process.execPath,
    args: ['--conditions=@mcp-parts/source', fixture, folder, guarded.issuer, token],
    stderr: 'inherit',
  });

/** Real sockets. */
const overHttp = (token: string): Transport =>
  new StreamableHTTPClientTransport(new URL(guarded.url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });

/** Who deployed where, or that it was denied. Any other failure is the test's. */
async function deploy(transport: Transport, era: Era, environment: string): Promise<string> {
  const negotiation: ClientOptions = { versionNegotiation: { mode: eras[era] } };
  const client = new Client({ name: 'test', version: '1.0.0' }, negotiation);
  await client.connect(transport);
  try {
    const result = await client.callTool({ name: 'deploy', arguments: { environment } });
    const text = JSON.stringify(result.content);
    if (result.isError === true) {
      return /Not allowed/u.test(text) ? 'denied' : text;
    }
    return `allowed for ${JSON.stringify(result.structuredContent)}`;
  } catch (error) {
    // A tool that the caller may not see, or a scope that a better token would have.
    const message = error instanceof Error ? error.message : String(error);
    return /Unknown tool: deploy|insufficient.scope/iu.test(message) ? 'denied' : message;
  } finally {
    await client.close();
  }
}

const everyScope = 'deploy:read deploy:staging deploy:production';
const table = [
  ['ann', everyScope, 'staging', 'allowed'],
  ['ann', everyScope, 'production', 'allowed'],
  ['ann', 'deploy:admin', 'production', 'allowed'],
  ['ann', 'deploy:read deploy:staging', 'production', 'denied'],
  ['ann', 'deploy:read', 'staging', 'denied'],
  ['ben', everyScope, 'staging', 'allowed'],
  ['ben', everyScope, 'production', 'denied'],
  ['vic', everyScope, 'staging', 'denied'],
  ['nobody', everyScope, 'staging', 'denied'],
] as const;

const transports: readonly (readonly [string, (token: string) => Transport, readonly Era[]])[] = [
  ['HTTP over sockets', overHttp, ['2025', '2026']],
  // A process for each row, so one era is enough of it.
  ['stdio over pipes', overStdio, ['2026']],
];

describe.each(canRunSources ? transports : transports.slice(0, 1))(
  'the same policy on %s',
  (_name, connect, erasToTry) => {
    describe.each<Era>(erasToTry)('in the era of %s', (era) => {
      it.each(table)('%s with "%s" deploying to %s is %s', async (subject, scope, environment, expected) => {
        const by = `allowed for ${JSON.stringify({ by: `${guarded.issuer}#${subject}` })}`;
        const token = guarded.token(subject, { scope });
        expect(await deploy(connect(token), era, environment)).toBe(expected === 'allowed' ? by : 'denied');
      });
    });
  },
);

it.runIf(canRunSources)('lets a local caller of stdio do nothing that has a requirement', async () => {
  expect(await deploy(overStdio(''), '2026', 'staging')).toBe('allowed for {"by":"local#stdio"}');
  expect(await deploy(overStdio(''), '2026', 'production')).toBe('denied');
});
