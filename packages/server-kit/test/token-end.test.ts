import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventsIn } from './audited-server.ts';

const fixture = fileURLToPath(new URL('token-end.fixture.ts', import.meta.url));
// The fixture and the sources say `using`, which Node 22 has not.
const canRunSources = Number.parseInt(process.versions.node, 10) >= 24;
const words = /access token .* has ended.*restart the server with a new token/u;
const echo = (text: string) => ({ name: 'echo', arguments: { text } });
const ref = { type: 'ref/resource', uri: 'things://{name}' } as const;

describe.runIf(canRunSources).each(['legacy', { pin: '2026-07-28' }] as const)(
  'once its token has ended, a server on stdio (negotiation %j)',
  (mode) => {
    let folder: string;
    let client: Client;
    let underWay: unknown;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mcp-token-end-'));
      const args = ['--conditions=@mcp-parts/source', fixture, folder];
      client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
      await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }));
      underWay = await client.callTool(echo('last words'));
    });
    afterAll(async () => {
      await client.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('answers the call that was under way', () => {
      expect(underWay).toMatchObject({ structuredContent: { text: 'last words' } });
    });

    it('refuses a tool in words that the model reads', async () => {
      await expect(client.callTool(echo('more'))).resolves.toMatchObject({
        content: [{ type: 'text', text: expect.stringMatching(words) }],
        isError: true,
      });
    });

    it('refuses an unknown tool in the same words', async () => {
      const [hidden, known] = await Promise.all([
        client.callTool({ name: 'nothing' }),
        client.callTool(echo('more')),
      ]);
      expect(hidden.content).toEqual(known.content);
    });

    it.each([
      ['resources/list', () => client.listResources()],
      ['resources/read', () => client.readResource({ uri: 'things://a' })],
      ['prompts/get', () => client.getPrompt({ name: 'ask' })],
      ['completion/complete', () => client.complete({ ref, argument: { name: 'name', value: '' } })],
    ])('refuses %s in the same words', async (_, call) => {
      await expect(call()).rejects.toThrow(words);
    });

    it('still lists what it has', async () => {
      await expect(client.listTools()).resolves.toMatchObject({ tools: [{ name: 'echo' }] });
      await expect(client.listPrompts()).resolves.toMatchObject({ prompts: [{ name: 'ask' }] });
    });

    it('records each refusal as denied, with who, what and why', async () => {
      await client.callTool(echo('recorded'));
      const events = await eventsIn(folder);
      const refused = events.filter((event) => event.stage === 'outcome' && event.result === 'denied');
      expect(refused.length).toBeGreaterThan(0);
      for (const event of refused) {
        expect(event).toMatchObject({ reason: 'token_expired' });
      }
      expect(events.findLast((event) => event.stage === 'intent')).toMatchObject({
        actor: { id: 'issuer#ann' },
        action: 'tools/call',
        target: 'echo',
        transport: 'stdio',
        // The groups were looked up a minute before.
        directoryAgeMs: expect.any(Number),
      });
    });
  },
);
