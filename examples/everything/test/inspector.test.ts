import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { inspect } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createDefinitions } from '../src/definitions.ts';
import { serveOpenly, type OpenServer } from '../src/serve.ts';
import { silent } from './silent.ts';

let server: OpenServer;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'inspector-'));
  server = await serveOpenly(createDefinitions, { port: 0, logger: silent });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

describe.each(['legacy', 'modern'] as const)(
  'the Inspector’s command line, %s',
  { timeout: 90_000 },
  (era) => {
    // The server lets everybody in; the Inspector is not asked for a token.
    const run = (args: string) =>
      inspect({ target: { url: server.url, token: 'none' }, home }, { era, args });

    it('lists and calls', async () => {
      await expect(run('--method tools/list')).resolves.toMatchObject({
        tools: expect.arrayContaining([expect.objectContaining({ name: 'test_image_content' })]),
      });
      await expect(run('--method tools/call --tool-name test_image_content')).resolves.toMatchObject({
        content: [{ type: 'image', mimeType: 'image/png' }],
      });
    });

    it('reads and begins', async () => {
      await expect(run('--method resources/read --uri test://static-text')).resolves.toMatchObject({
        contents: [{ text: 'This is the content of the static text resource.' }],
      });
      await expect(run('--method prompts/get --prompt-name test_simple_prompt')).resolves.toMatchObject({
        messages: [{ content: { text: 'This is a simple prompt for testing.' } }],
      });
    });
  },
);
