import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { connectClient, mcpResource, runToEnd, serverSettings, textOf } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { unauthenticatedSettings } from '../src/configuration.ts';
import { program, startServer } from './http-server.ts';

let sandbox: Sandbox;
let folder: string;
/** What the program needs without authentication: nothing about an issuer. */
let env: Record<string, string>;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  folder = await mkdtemp(join(tmpdir(), 'mcp-http-open-'));
  const known = Object.entries(serverSettings(sandbox)).filter(([name]) => name in unauthenticatedSettings);
  env = {
    ...Object.fromEntries(known),
    AUTH_MODE: 'none',
    STATE_DIRECTORY: join(folder, 'state'),
    PORT: '0',
  };
});

afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
});

const withoutIssuer = { AUTH_MODE: 'none', AUTH_ISSUER: '', AUTH_AUDIENCE: '', DIRECTORY_FILE: '' };
const deployment = { service: 'ledger-service', version: '9.9.9', environment: 'development' };

describe('a server with AUTH_MODE=none', () => {
  it.each([
    [{ HOST: '0.0.0.0', ALLOWED_HOSTS: 'mcp.example.test' }, /must listen on loopback, not on 0\.0\.0\.0/u],
    [{ HOST: '::', ALLOWED_HOSTS: 'mcp.example.test' }, /must listen on loopback, not on ::/u],
    [{ TRUSTED_PROXIES: '127.0.0.1' }, /without authentication there must be no trustedProxies/u],
  ])('does not start with %j, says why and ends with 1', async (reachable, words) => {
    const { code, stdout, stderr } = await runToEnd(program, { env: { ...env, ...reachable } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('listening');
  });

  it('names all that is missing at once, and asks for no issuer', async () => {
    const { code, stderr } = await runToEnd(program, { env: { AUTH_MODE: 'none', PORT: 'eighty' } });
    expect(code).toBe(2);
    const required = Object.entries(unauthenticatedSettings)
      .filter(([, { schema }]) => !schema.safeParse(undefined).success)
      .map(([name]) => name);
    for (const name of required) {
      expect(stderr).toContain(`  ${name} is required\n`);
    }
    expect(stderr).toContain('  PORT: must be a whole number from 0 to 65535\n');
    expect(stderr).not.toContain('AUTH_ISSUER');
  });

  it('warns loudly, reads for everybody and deploys for nobody', async () => {
    await using server = await startServer(sandbox, withoutIssuer);
    const warning = await server.process.logged(
      'AUTHENTICATION IS OFF: every program and user of this machine may call this server',
    );
    expect(warning).toMatchObject({ level: 'warn', permissions: ['deploy:read'] });

    await using client = await connectClient('sdk-2.x-pinned', { url: server.url, token: 'ignored' });
    const tools = (await client.listTools()).map(({ name }) => name);
    expect(tools).toContain('list_services');
    expect(tools).not.toContain('trigger_deployment');
    expect(textOf(await client.callTool('list_services', { search: 'fraud' }))).toContain('fraud-service');
    await expect(client.callTool('trigger_deployment', deployment)).rejects.toThrow(/Unknown tool/u);
    expect(sandbox.requests('deployments').filter(({ method }) => method === 'POST')).toEqual([]);
  });
});

describe('a server with another AUTH_MODE', () => {
  it.each(['None', 'off', ' none'])('such as "%s" does not start', async (mode) => {
    const { code, stderr } = await runToEnd(program, { env: { ...env, AUTH_MODE: mode } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^ {2}AUTH_MODE: /mu);
  });
});
