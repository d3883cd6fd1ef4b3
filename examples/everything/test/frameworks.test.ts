import { connectFramework, frameworks, type FrameworkClient } from '@mcp-parts/sandbox/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { createDefinitions } from '../src/definitions.ts';
import { PIXEL_PNG, SILENCE_WAV } from '../src/samples.ts';
import { serveOpenly, type OpenServer } from '../src/serve.ts';
import { silent } from './silent.ts';

const neverChanging = { catalog: { change: () => undefined }, events: { publish: () => undefined } };

let server: OpenServer;
beforeAll(async () => {
  server = await serveOpenly(createDefinitions, { port: 0, logger: silent });
});
afterAll(() => server[Symbol.asyncDispose]());

/** What an agent must be able to find in what it is handed. Frameworks wrap content each in their own way. */
const calls: readonly (readonly [tool: string, args: Record<string, unknown>, found: string])[] = [
  ['test_simple_text', {}, 'This is a simple text response for testing.'],
  ['test_image_content', {}, PIXEL_PNG],
  ['test_audio_content', {}, SILENCE_WAV],
  ['test_multiple_content_types', {}, PIXEL_PNG],
  ['test_header_parameter', { region: 'eu' }, 'eu'],
];

describe.each(frameworks)('an agent of %s', (framework) => {
  let client: FrameworkClient;
  beforeAll(async () => {
    // Loading a framework holds the server up, which then asks to be left alone for a moment.
    client = await vi.waitFor(() => connectFramework(framework, server), { timeout: 30_000, interval: 500 });
  });
  afterAll(() => client[Symbol.asyncDispose]());

  it('is offered every tool', () => {
    const { tools = [] } = createDefinitions(() => neverChanging);
    // Long-running tools have others beside them, to look how far they are.
    expect(client.tools).toEqual(expect.arrayContaining(tools.map(({ name }) => name)));
  });

  it.each(calls)('calls %s', async (tool, args, found) => {
    expect(JSON.stringify(await client.callTool(tool, args))).toContain(found);
  });

  it('calls a tool whose input says more than types', async () => {
    const args = { contactMethod: 'phone', phone: '1' };
    const called = client.callTool('json_schema_2020_12_tool', args).then(JSON.stringify, String);
    // LangChain's adapter makes another schema of one with allOf, and refuses what does not fit that.
    await expect(called).resolves.toMatch(
      framework === 'langchain' ? /did not match expected schema/u : /reachableBy.*phone/u,
    );
  });

  it('is told of a failure', async () => {
    const told = await client.callTool('test_error_handling').then(JSON.stringify, String);
    expect(told).toContain('This tool intentionally returns an error for testing');
  });

  it('reads every resource', async () => {
    const read = await Promise.all((await client.resources()).map((uri) => client.readResource(uri)));
    expect(read).toMatchObject([
      [{ uri: 'test://static-text', text: 'This is the content of the static text resource.' }],
      [{ uri: 'test://static-binary', blob: PIXEL_PNG }],
      [{ uri: 'test://template/123/data', text: expect.stringContaining('"templateTest":true') }],
      [{ uri: 'test://watched-resource', text: 'Version 1 of the watched resource.' }],
    ]);
  });
});
