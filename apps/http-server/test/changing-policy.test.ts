import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { mcpResource, serverSettings } from '@mcp-parts/sandbox/testing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { metric, startServer, tokenFor, type TestServer } from './http-server.ts';
import { modernCall, send } from './raw-request.ts';

let sandbox: Sandbox;
let server: TestServer;
let folder: string;
let path: string;
let shipped: string;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  shipped = await readFile(serverSettings(sandbox)['POLICY_FILE'] ?? '', 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'mcp-policy-'));
  path = join(folder, 'policy.yaml');
  await replace(shipped);
  server = await startServer(sandbox, { POLICY_FILE: path });
}, 60_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await sandbox?.close();
  await rm(folder, { recursive: true, force: true });
});

/** In one step, as Kubernetes and editors do. */
async function replace(text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
/** Longer than a file goes unlooked at. */
const soon = { timeout: 10_000, interval: 200 };
const readyShape = z.object({
  status: z.string(),
  facts: z.array(z.object({ fact: z.string(), failingMs: z.number() })),
});

/** A client of an era that is told when its list of tools changes. */
async function listen(era: '2025' | '2026', token: string, onChange: () => void): Promise<Client> {
  const mode = era === '2025' ? 'legacy' : { pin: '2026-07-28' };
  const client = new Client({ name: 'listening', version: '1.0.0' }, { versionNegotiation: { mode } });
  client.setNotificationHandler('notifications/tools/list_changed', onChange);
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  if (era === '2025') {
    await client.listTools();
  } else {
    await client.listen({ toolsListChanged: true });
  }
  return client;
}

describe('a policy that changes under a running server', () => {
  it('takes away and gives back what it grants, without a restart', async () => {
    const token = await tokenFor(sandbox, 'viewer');
    const answer = async () =>
      (await send(server.url, modernCall(token, 'list_services', { search: 'fraud' }))).text;
    expect(await answer()).toContain('fraud-service');
    await replace(
      shipped.replace(
        "{ group: viewers, allow: ['deploy:read'] }",
        "{ group: viewers, allow: ['deploy:development'] }",
      ),
    );
    await expect.poll(answer, soon).not.toContain('fraud-service');
    await replace(shipped);
    await expect.poll(answer, soon).toContain('fraud-service');
  });

  it.each(['2025', '2026'] as const)(
    'is told to a client of %s that listens, when its list of tools differs',
    async (era) => {
      const token = await tokenFor(sandbox, 'viewer');
      const heard: string[] = [];
      const listening = await listen(era, token, () => heard.push('tools'));
      await replace(
        shipped.replace(
          "{ group: viewers, allow: ['deploy:read'] }",
          "{ group: viewers, allow: ['deploy:development'] }",
        ),
      );
      await expect.poll(() => heard, soon).toEqual(['tools']);
      await replace(shipped);
      await expect.poll(() => heard, soon).toEqual(['tools', 'tools']);
      await listening.close();
    },
  );

  it('leaves the last good one when it is cut off, and tells whoever watches', async () => {
    await replace(shipped.slice(0, shipped.indexOf('require:')));
    const failing = () => metric(server, /^mcp_auth_fact_failing_seconds\{fact="policy"[^}]*\} ([\d.]+)$/mu);
    await expect.poll(failing, soon).toBeGreaterThan(0);
    const { status, facts } = readyShape.parse(JSON.parse((await send(`${server.origin}/ready`)).text));
    expect(status).toBe('ready');
    expect(facts.find(({ fact }) => fact === 'policy')?.failingMs).toBeGreaterThan(0);

    const token = await tokenFor(sandbox, 'release-manager');
    const { text } = await send(server.url, modernCall(token, 'list_services', { search: 'fraud' }));
    expect(text).toContain('fraud-service');
    await replace(shipped);
    await expect.poll(failing, soon).toBe(0);
  });
});
