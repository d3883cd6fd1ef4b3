import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '@mcp-parts/sandbox';
import { mcpResource, runToEnd, serverSettings } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import manifest from '../package.json' with { type: 'json' };
import { settings } from '../src/configuration.ts';
import { assertServes } from './assert-serves.ts';
import { program, startServer, tokenFor } from './http-server.ts';

let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox({ mcpResource });
  folder = await mkdtemp(join(tmpdir(), 'mcp-http-configuration-'));
});

afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
});

const env = (more: Readonly<Record<string, string>> = {}) => ({
  ...serverSettings(sandbox),
  STATE_DIRECTORY: join(folder, 'state'),
  PORT: '0',
  ...more,
});

describe.concurrent('the command line', () => {
  it.each(['--help', '-h'])('explains every variable with %s', async (option) => {
    const { code, stdout } = await runToEnd(program, { args: [option] });
    expect(code).toBe(0);
    for (const name of Object.keys(settings)) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'mu'));
    }
    expect(stdout).toContain('NAME_FILE');
  });

  it('tells the version', async () => {
    const { code, stdout } = await runToEnd(program, { args: ['--version'] });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${manifest.version}\n` });
  });

  it('knows no other option', async () => {
    const { code, stdout, stderr } = await runToEnd(program, { args: ['--prot=1'] });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^mcp-deployments-http: Unknown option '--prot'.*\nTry mcp-deployments-http --help\.\n$/su,
    );
  });
});

describe.concurrent('a wrong environment', () => {
  it('is reported at once and whole, by name', async () => {
    const { code, stdout, stderr } = await runToEnd(program);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const required = Object.entries(settings)
      .filter(([, { schema }]) => !schema.safeParse(undefined).success)
      .map(([name]) => name);
    expect(required.length).toBeGreaterThan(8);
    for (const name of required) {
      expect(stderr).toContain(`  ${name} is required\n`);
    }
    expect(stderr.match(/^ {2}/gmu)).toHaveLength(required.length);
  });

  it('is reported without any value', async () => {
    const wrong = {
      PORT: 'eighty-eighty',
      AUTH_ISSUER: 'ftp://user:hunter2@idp.example',
      RATE_LIMIT_PER_MINUTE: '-1',
      LOG_LEVEL: 'loud',
      PLATFORM_CLIENT_SECRET: 'hunter2',
      PLATFORM_CLIENT_SECRET_FILE: '/nowhere/secret',
    };
    const { code, stderr } = await runToEnd(program, { env: env(wrong) });
    expect(code).toBe(2);
    for (const name of [
      'PORT',
      'AUTH_ISSUER',
      'RATE_LIMIT_PER_MINUTE',
      'LOG_LEVEL',
      'PLATFORM_CLIENT_SECRET',
    ]) {
      expect(stderr).toMatch(new RegExp(`^  ${name}\\b`, 'mu'));
    }
    expect(stderr).not.toMatch(/hunter2|eighty|\bat \w+ \(/u);
  });

  it.for<[string, Record<string, string>, RegExp, 1 | 2]>([
    [
      'an open address without names to answer to',
      { HOST: '0.0.0.0' },
      /ALLOWED_HOSTS is required, because HOST is not loopback/u,
      2,
    ],
    [
      'half of the introspection',
      { AUTH_INTROSPECTION_URL: 'https://idp.example/introspect' },
      /AUTH_INTROSPECTION_URL, _CLIENT_ID and _CLIENT_SECRET need each other/u,
      2,
    ],
    [
      'a readiness delay after which nothing could be drained',
      { READINESS_DELAY_MS: '45000' },
      /READINESS_DELAY_MS is 45000, and a TERMINATION_GRACE_MS of 30000 leaves at most 13000 for it: lower it, or set TERMINATION_GRACE_MS, .* to 62000/u,
      2,
    ],
    [
      'quotes that an env file left in',
      { STATE_DIRECTORY: '"/var/lib/state"' },
      /STATE_DIRECTORY: is in quotes.*, as STATE_DIRECTORY=\/var\/lib\/state\n/u,
      2,
    ],
    [
      'a name with a typing error',
      { ALLOWED_HOST: 'mcp.example.com' },
      /ALLOWED_HOST is not a setting: write ALLOWED_HOSTS\n/u,
      2,
    ],
    ['a policy that is not there', { POLICY_FILE: '/nowhere/policy.yaml' }, /policy/iu, 1],
    [
      'a secret file that is not there',
      { PLATFORM_CLIENT_SECRET: '', PLATFORM_CLIENT_SECRET_FILE: '/nowhere' },
      /PLATFORM_CLIENT_SECRET_FILE cannot be read \(ENOENT\)/u,
      2,
    ],
    ['an algorithm that shares a secret', { AUTH_ALGORITHMS: 'HS256' }, /AUTH_ALGORITHMS .*HS256/u, 2],
    [
      'an issuer of any tenant',
      { AUTH_PROVIDER: 'entra', AUTH_ISSUER: 'https://login.microsoftonline.com/common/v2.0' },
      /AUTH_ISSUER must be one tenant's/u,
      2,
    ],
    [
      'an audience that version 2 tokens of Entra ID do not have',
      {
        AUTH_PROVIDER: 'entra',
        AUTH_ISSUER: 'https://login.microsoftonline.com/8f0c5a44-1f6e-4c0a-9d49-5b1b6a6c9a10/v2.0',
      },
      /AUTH_AUDIENCE must be the application \(client\) id/u,
      2,
    ],
    [
      'a provider with a typing error',
      { AUTH_PROVIDER: 'keyclaok' },
      /AUTH_PROVIDER: .*write keycloak\n/u,
      2,
    ],
    [
      'a certificate header that anybody could send',
      { CLIENT_CERTIFICATE_HEADER: 'x-forwarded-client-cert' },
      /TRUSTED_PROXIES is required, because CLIENT_CERTIFICATE_HEADER/u,
      2,
    ],
    [
      'an audience that is no URL, without one',
      { AUTH_AUDIENCE: 'api://mcp' },
      /AUTH_RESOURCE is required, because AUTH_AUDIENCE/u,
      2,
    ],
  ])('such as %s ends the program before it listens', async ([, wrong, words, exitCode]) => {
    const { code, stdout, stderr } = await runToEnd(program, { env: env(wrong) });
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).not.toContain('listening');
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain(sandbox.clients.mcpServer.clientSecret);
  });

  it('such as a port that is taken ends the program with 1', async () => {
    await using server = await startServer(sandbox);
    const { code, stderr } = await runToEnd(program, { env: env({ PORT: new URL(server.url).port }) });
    expect(code).toBe(1);
    expect(stderr).toContain('EADDRINUSE');
  });
});

describe.concurrent('a secret in a file', () => {
  it('is used, without the line break at its end', async () => {
    const file = join(folder, 'secret');
    await writeFile(file, `${sandbox.clients.mcpServer.clientSecret}\n`);
    await using server = await startServer(sandbox, {
      PLATFORM_CLIENT_SECRET: '',
      PLATFORM_CLIENT_SECRET_FILE: file,
    });
    const token = await tokenFor(sandbox, 'developer');
    await expect(assertServes(server, token)).resolves.toBeUndefined();
  });
});
