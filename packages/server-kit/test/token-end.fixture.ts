/** A server on stdio whose token ends when its tool is told so. */
import { definePrompt, defineResource } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { assembleServer, serveStdio } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';
import { echoTool } from './test-server.ts';

const [stateDirectory = ''] = process.argv.slice(2);
const expiresAt = Date.now() + 300_000;
let now = expiresAt - 1;

const tool = echoTool((text) => {
  if (text === 'last words') {
    now = expiresAt;
  }
});
const resource = defineResource({
  name: 'thing',
  title: 'Thing',
  description: 'A thing.',
  uriTemplate: 'things://{name}',
  parameters: z.object({ name: z.string() }),
  permission: 'echo',
  complete: { name: () => Promise.resolve(['a']) },
  list: () => Promise.resolve([{ uri: 'things://a', name: 'a' }]),
  read: ({ name }) => Promise.resolve({ name }),
});
const prompt = definePrompt({
  name: 'ask',
  title: 'Ask',
  description: 'Asks.',
  arguments: z.object({}),
  permission: 'echo',
  render: () => 'Ask.',
});

await using server = await assembleServer({
  serverInfo: { name: 'token-end', version: '1.0.0' },
  definitions: { tools: [tool], resources: [resource], prompts: [prompt] },
  authorizer: { decide: () => ({ allowed: true, rule: 'test' }) },
  logger: silentLogger,
  stateDirectory,
});
await serveStdio(server, {
  caller: {
    id: 'issuer#ann',
    kind: 'user',
    groups: ['staff'],
    groupsAsOf: Date.now() - 60_000,
    permissions: ['echo'],
    expiresAt,
  },
  now: () => now,
});
