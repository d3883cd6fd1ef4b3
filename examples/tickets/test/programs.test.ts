import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startProgram, type RunningProgram } from '@mcp-parts/sandbox/testing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startIssuer, type Issuer } from './issuer.ts';
import { startTicketsService, type TicketsService } from './tickets-service.ts';

const AUDIENCE = 'https://tickets.example.test/mcp';
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

let service: TicketsService;
let issuer: Issuer;
let state: string;
let environment: Record<string, string>;

beforeAll(async () => {
  service = await startTicketsService();
  issuer = await startIssuer();
  state = await mkdtemp(join(tmpdir(), 'tickets-'));
  const directory = join(state, 'directory.yaml');
  const users = {
    [`${issuer.url}#ann`]: { groups: ['agents'] },
    [`${issuer.url}#rob`]: { groups: ['readers'] },
  };
  await writeFile(directory, `${JSON.stringify({ version: 1, users })}\n`);
  environment = {
    AUTH_ISSUER: issuer.url,
    AUTH_JWKS_URL: issuer.jwksUrl,
    AUTH_AUDIENCE: AUDIENCE,
    PORT: '0',
    POLICY_FILE: path('../policy.yaml'),
    DIRECTORY_FILE: directory,
    STATE_DIRECTORY: join(state, 'server'),
    TICKETS_URL: service.url,
    TICKETS_TOKEN_URL: `${service.url}/token`,
    TICKETS_CLIENT_ID: 'tickets-server',
    TICKETS_CLIENT_SECRET: 'a-secret-for-tests',
  };
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
  await rm(state, { recursive: true, force: true });
});

const programs = { ours: '../src/main.ts', 'on the plain SDK': '../src/plain/main.ts' } as const;
const argumentsOf = (file: string) => ['--conditions=@mcp-parts/source', path(file)];

/** A client over HTTP, with a person's token. */
async function clientOf(url: string, person: string): Promise<Client> {
  const client = new Client(
    { name: 'somebody', version: '1.0.0' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  // Each of the two servers has a name of its own for the field.
  const content = { close: true, confirm: true };
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content }));
  const headers = { authorization: `Bearer ${await issuer.tokenFor(person, AUDIENCE)}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

// The sources say `using`, which Node 22 has not.
const runsSources = Number.parseInt(process.versions.node, 10) >= 24;

describe.runIf(runsSources).each(['ours', 'on the plain SDK'] as const)('the server %s', (name) => {
  let program: RunningProgram;
  let url: string;
  beforeAll(async () => {
    program = startProgram(
      { command: process.execPath, args: argumentsOf(programs[name]) },
      { env: environment },
    );
    url = String((await program.logged('listening'))['url']);
  });
  afterAll(() => program[Symbol.asyncDispose]());

  it('lets nobody in without a token', async () => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(response.status).toBe(401);
  });

  it('closes a ticket for an agent who agrees', async () => {
    const client = await clientOf(url, 'ann');
    const answer = await client.callTool({ name: 'close_ticket', arguments: { id: '1' } });
    expect(answer.structuredContent).toMatchObject({ id: '1', state: 'closed' });
    await client.callTool({ name: 'reopen_ticket', arguments: { id: '1' } });
    await client.close();
  });

  it('speaks stdio, too', async () => {
    const client = new Client({ name: 'somebody', version: '1.0.0' });
    const env = { ...environment, STATE_DIRECTORY: join(state, 'stdio'), TRANSPORT: 'stdio' };
    const args = argumentsOf(programs[name]);
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }),
    );
    const answer = await client.callTool({ name: 'list_tickets', arguments: {} });
    expect(JSON.stringify(answer)).toContain('No coffee');
    await client.close();
  });
});

describe.runIf(runsSources)('the server ours', () => {
  it('lets a reader read only, and keeps a record', async () => {
    await using program = startProgram(
      { command: process.execPath, args: argumentsOf(programs.ours) },
      { env: { ...environment, STATE_DIRECTORY: join(state, 'reader') } },
    );
    const client = await clientOf(String((await program.logged('listening'))['url']), 'rob');
    service.failNext = 1;
    await client.callTool({ name: 'list_tickets', arguments: {} });
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(['list_tickets']);
    await expect(client.callTool({ name: 'close_ticket', arguments: { id: '1' } })).rejects.toThrow(
      'close_ticket',
    );
    await client.close();
    expect(await readdir(join(state, 'reader'))).not.toEqual([]);
  });
});
