import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { afterEach, expect, it } from 'vitest';

import manifest from '../package.json' with { type: 'json' };
import { PortTakenError, startSandbox } from '../src/index.ts';
import { runToEnd, serverProgram } from '../testing/index.ts';

const libraryUser = `
  import { startSandbox } from ${JSON.stringify(fileURLToPath(new URL('../src/index.ts', import.meta.url)))};
  const resource = 'http://127.0.0.1:3000/mcp';
  const sandbox = await startSandbox({ mcpResource: resource });
  await sandbox.issueUserToken('viewer', { resource, scopes: ['deploy:read'] });
  await fetch(sandbox.urls.identity + '/auth?client_id=nobody', { headers: { accept: 'text/html' } });
  await fetch(sandbox.urls.identity + '/token', {
    method: 'POST',
    headers: { origin: 'http://127.0.0.1:6274' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: sandbox.clients.ciBot.clientId,
      client_secret: sandbox.clients.ciBot.clientSecret,
      resource,
    }),
  });
  await sandbox.close();
`;

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
});

it('writes nothing to stdout or stderr when used as a library, and lets the process end', async () => {
  const output: string[] = [];
  child = spawn(process.execPath, ['--input-type=module', '--eval', libraryUser]);
  child.stdout?.on('data', (data) => output.push(String(data)));
  child.stderr?.on('data', (data) => output.push(String(data)));
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(output.join('')).toBe('');
});

it('says which port is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const start = startSandbox({ ports: { deployments: port } });
  await expect(start).rejects.toThrow(PortTakenError);
  await expect(start).rejects.toThrow(`Port ${port}, wanted for the deployments service`);
  other.close();
});

it.each([
  ['deploymentStepMs', { deploymentStepMs: Number.NaN }],
  ['deploymentStepMs', { deploymentStepMs: -1 }],
  ['deploymentStepMs', { deploymentStepMs: 2 ** 31 }],
  ['ports.audit', { ports: { audit: 0.5 } }],
])('refuses a %s that is no sensible number, by name', async (name, options) => {
  await expect(startSandbox(options)).rejects.toThrow(`${name} must be a whole number from 0 to `);
});

const program = serverProgram(new URL('../', import.meta.url));

it.each(['--help', '-h'])('explains its options with %s', async (option) => {
  const { code, stdout, stderr } = await runToEnd(program, { args: [option] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('--mcp-resource <url>');
});

it('tells its version', async () => {
  const { code, stdout } = await runToEnd(program, { args: ['--version'] });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${manifest.version}\n` });
});

it.each(['0', '65532', '8080x', ''])('refuses %j as its first port, with 2', async (port) => {
  const { code, stderr } = await runToEnd(program, { args: [`--port=${port}`] });
  expect(code).toBe(2);
  expect(stderr).toContain('--port must be a number from 1 to 65531');
});

it('refuses an option that it does not know, with 2', async () => {
  const { code, stdout, stderr } = await runToEnd(program, { args: ['--prot=1'] });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^mcp-sandbox: Unknown option '--prot'.*Try mcp-sandbox --help\.\n$/su);
});
