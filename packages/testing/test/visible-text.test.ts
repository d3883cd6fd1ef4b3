import {
  createCatalog,
  createMethodTable,
  definePrompt,
  defineResource,
  defineTool,
  embeddedResource,
  PublicError,
  textContent,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, testCaller, type Connection } from '../src/index.ts';

/** A message in tags, a turned direction, an escape sequence and a zero-width space, between letters. */
const HIDDEN = `b\u202E\u0007\u001B[2J\u200B${String.fromCodePoint(0xe006f, 0xe0062, 0xe0065, 0xe0079)}\uFEFFd`;
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF\u{E0000}-\u{E0FFF}]|\\u(?:00[01]|20|fe|db)|\\[bf]/iu;

const caller = testCaller({ permissions: ['things:read'] });
const shared = {
  description: 'Works.',
  input: z.strictObject({ fails: z.boolean().default(false) }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'things:read',
} as const;

const table = createMethodTable(
  createCatalog({
    tools: [
      defineTool({
        ...shared,
        name: 'data',
        output: z.object({ text: z.string(), byName: z.record(z.string(), z.string()) }),
        async handle({ fails }, { progress, log }) {
          progress(1, 2, HIDDEN);
          log('error', { text: HIDDEN });
          if (fails) {
            throw new PublicError('down', HIDDEN, { nextStep: HIDDEN });
          }
          return { text: HIDDEN, byName: { [HIDDEN]: HIDDEN } };
        },
        text: ({ text }) => text,
        content: ({ text }) => [embeddedResource({ uri: 'thing://1', mimeType: 'text/plain', text })],
        resultMeta: ({ text }) => ({ 'example/text': text }),
      }),
      defineTool({
        ...shared,
        name: 'wordless',
        output: z.object({ text: z.string() }),
        handle: async () => ({ text: HIDDEN + String.fromCharCode(0xd800) }),
      }),
      defineTool({ ...shared, name: 'content', handle: async () => [HIDDEN, textContent(HIDDEN)] }),
    ],
    resources: [
      defineResource({
        name: 'thing',
        uriTemplate: 'thing://{id}',
        description: 'A thing.',
        mimeType: 'text/plain',
        parameters: z.strictObject({ id: z.string() }),
        permission: 'things:read',
        list: async () => [{ uri: 'thing://1', name: HIDDEN, title: HIDDEN, description: HIDDEN }],
        read: async ({ id }) => (id === '1' ? HIDDEN : undefined),
        complete: { id: async () => [HIDDEN] },
      }),
    ],
    prompts: [
      definePrompt({
        name: 'ask',
        description: 'Asks.',
        arguments: z.strictObject({}),
        permission: 'things:read',
        render: async () => [{ role: 'user', content: HIDDEN }],
      }),
    ],
  }),
);

type Client = Connection['client'];

const ways: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  'a result': (client) => client.callTool({ name: 'data', arguments: {} }),
  'a result without words of its own': (client) => client.callTool({ name: 'wordless', arguments: {} }),
  'content alone': (client) => client.callTool({ name: 'content', arguments: {} }),
  'a failure': (client) => client.callTool({ name: 'data', arguments: { fails: true } }),
  'invalid arguments': (client) => client.callTool({ name: 'data', arguments: { [HIDDEN]: 1 } }),
  'an unknown tool': (client) => failureOf(client.callTool({ name: HIDDEN, arguments: {} })),
  'a list of resources': (client) => client.listResources(),
  'a resource': (client) => client.readResource({ uri: 'thing://1' }),
  'an unknown resource': (client) => failureOf(client.readResource({ uri: `thing://${HIDDEN}` })),
  'a prompt': (client) => client.getPrompt({ name: 'ask' }),
  'an unknown prompt': (client) => failureOf(client.getPrompt({ name: HIDDEN })),
  'a completion': (client) =>
    client.complete({
      ref: { type: 'ref/resource', uri: 'thing://{id}' },
      argument: { name: 'id', value: '' },
    }),
  progress: async (client) => {
    const reports: unknown[] = [];
    await client.callTool({ name: 'data', arguments: {} }, { onProgress: (report) => reports.push(report) });
    return reports;
  },
};

async function failureOf(answer: Promise<unknown>): Promise<unknown> {
  const { message, data } = await answer.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: { message: string; data?: unknown }) => error,
  );
  return { message, data };
}

describe.each(['2025', '2026'] as const)('what nobody sees reaches no client of %s', (era) => {
  it.each(Object.entries(ways))('in %s', async (_name, ask) => {
    await using connection = await connect(table, { era, caller });
    const text = JSON.stringify(await ask(connection.client));
    expect(text).toContain('b[2Jd');
    expect(text).not.toMatch(UNSEEN);
  });
});
