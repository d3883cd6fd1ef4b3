import {
  audioContent,
  createCatalog,
  createMethodTable,
  definePrompt,
  defineResource,
  defineTool,
  embeddedResource,
  imageContent,
  resourceLink,
  severalContents,
  textContent,
  type Content,
  type ResourceDefinition,
  type ToolAnswer,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, recordingAudit, testCaller } from '../src/index.ts';

const caller = testCaller({ permissions: ['things:read'] });
const bytes = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
const base64 = Buffer.from(bytes).toString('base64');
const readOnly = { readOnly: true, destructive: false, idempotent: true, openWorld: false };
const icons = [{ src: 'https://things.test/icon.svg', mimeType: 'image/svg+xml', sizes: ['any'] }];

const shown = { description: 'Answers.', annotations: readOnly, permission: 'things:read' } as const;

const answering = (name: string, answer: ToolAnswer) =>
  defineTool({
    ...shown,
    name,
    input: z.strictObject({}),
    handle: () => Promise.resolve(answer),
  });

const blocks: Readonly<Record<string, readonly [Content, object]>> = {
  text: [
    textContent('Hello', { meta: { 'things.test/a': 1 } }),
    { type: 'text', text: 'Hello', _meta: { 'things.test/a': 1 } },
  ],
  image: [
    imageContent(bytes, 'image/png', { annotations: { audience: ['user'], priority: 1 } }),
    { type: 'image', data: base64, mimeType: 'image/png', annotations: { audience: ['user'], priority: 1 } },
  ],
  audio: [audioContent(base64, 'audio/wav'), { type: 'audio', data: base64, mimeType: 'audio/wav' }],
  link: [
    resourceLink({ uri: 'thing://1', name: 'one', title: 'One', mimeType: 'text/plain', size: 4 }),
    { type: 'resource_link', uri: 'thing://1', name: 'one', title: 'One', mimeType: 'text/plain', size: 4 },
  ],
  embedded_text: [
    embeddedResource({ uri: 'thing://1', mimeType: 'text/plain', text: 'one' }),
    { type: 'resource', resource: { uri: 'thing://1', mimeType: 'text/plain', text: 'one' } },
  ],
  embedded_bytes: [
    embeddedResource({ uri: 'thing://1', mimeType: 'image/png', blob: bytes, meta: { 'things.test/b': 2 } }),
    {
      type: 'resource',
      resource: { uri: 'thing://1', mimeType: 'image/png', blob: base64, _meta: { 'things.test/b': 2 } },
    },
  ],
};

const holding = (name: string, overrides: Partial<ResourceDefinition>): ResourceDefinition => ({
  ...defineResource({
    name,
    description: 'A thing.',
    uriTemplate: `thing://${name}`,
    parameters: z.object({}),
    permission: 'things:read',
    list: () => Promise.resolve([{ uri: `thing://${name}`, name }]),
    read: () => Promise.resolve({ any: 'thing' }),
  }),
  ...overrides,
});

const resources: Readonly<Record<string, readonly [Partial<ResourceDefinition>, readonly object[]]>> = {
  json: [{}, [{ mimeType: 'application/json', text: '{"any":"thing"}' }]],
  json_text: [
    { read: () => Promise.resolve('a text') },
    [{ mimeType: 'application/json', text: '"a text"' }],
  ],
  plain: [
    { mimeType: 'text/plain', read: () => Promise.resolve('a text') },
    [{ mimeType: 'text/plain', text: 'a text' }],
  ],
  other_json: [
    { mimeType: 'application/vnd.thing+json', read: () => Promise.resolve([1]) },
    [{ mimeType: 'application/vnd.thing+json', text: '[1]' }],
  ],
  image: [
    { mimeType: 'image/png', read: () => Promise.resolve(bytes) },
    [{ mimeType: 'image/png', blob: base64 }],
  ],
  several: [
    {
      read: () =>
        Promise.resolve(
          severalContents(
            { uri: 'thing://several/a', mimeType: 'text/plain', text: 'a' },
            { uri: 'thing://several/b', blob: bytes },
          ),
        ),
    },
    [
      { uri: 'thing://several/a', mimeType: 'text/plain', text: 'a' },
      { uri: 'thing://several/b', blob: base64 },
    ],
  ],
};

const rich = defineTool({
  ...answering('rich', ''),
  title: 'Rich',
  icons,
  meta: { 'things.test/rich': true },
  output: z.object({ count: z.int() }),
  handle: () => Promise.resolve({ count: 2 }),
  content: ({ count }) => [textContent(`${count} more`), imageContent(bytes, 'image/png')],
  resultMeta: ({ count }) => ({ 'things.test/count': count }),
});

const conversation = definePrompt({
  name: 'conversation',
  description: 'Begins a conversation.',
  icons,
  arguments: z.object({ thing: z.string() }),
  permission: 'things:read',
  render: ({ thing }, { caller }) =>
    Promise.resolve([
      { role: 'user', content: `I am ${caller.id}. Look at ${thing}.` },
      { role: 'user', content: imageContent(bytes, 'image/png') },
      { role: 'user', content: embeddedResource({ uri: 'thing://1', mimeType: 'text/plain', text: 'one' }) },
      { role: 'assistant', content: textContent('I see it.') },
    ]),
});

const table = createMethodTable(
  createCatalog({
    tools: [
      ...Object.entries(blocks).map(([name, [block]]) => answering(name, [block])),
      answering('one_text', 'Hello'),
      answering(
        'all',
        Object.values(blocks).map(([block]) => block),
      ),
      answering('failure', { content: 'It failed.', isFailure: true, meta: { 'things.test/why': 'x' } }),
      rich,
    ],
    resources: Object.entries(resources).map(([name, [overrides]]) => holding(name, overrides)),
    prompts: [conversation],
  }),
);

describe.each(['2025', '2026'] as const)('a client of %s', (era) => {
  it.each(Object.entries(blocks))('reads %s as a block of an answer', async (name, [, expected]) => {
    await using connection = await connect(table, { era, caller });

    expect((await connection.client.callTool({ name, arguments: {} })).content).toEqual([expected]);
  });

  it('reads several blocks, in their order', async () => {
    await using connection = await connect(table, { era, caller });

    expect((await connection.client.callTool({ name: 'all', arguments: {} })).content).toEqual(
      Object.values(blocks).map(([, expected]) => expected),
    );
  });

  it('reads a text, and a failure with what goes beside it', async () => {
    await using connection = await connect(table, { era, caller });
    const { client } = connection;

    expect((await client.callTool({ name: 'one_text', arguments: {} })).content).toEqual([
      { type: 'text', text: 'Hello' },
    ]);
    expect(await client.callTool({ name: 'failure', arguments: {} })).toMatchObject({
      content: [{ text: 'It failed.' }],
      isError: true,
      _meta: { 'things.test/why': 'x' },
    });
  });

  it('reads blocks after the text of data, which is JSON when the tool has no words for it', async () => {
    await using connection = await connect(table, { era, caller });

    expect(await connection.client.callTool({ name: 'rich', arguments: {} })).toMatchObject({
      content: [{ text: '{"count":2}' }, { text: '2 more' }, { type: 'image', data: base64 }],
      structuredContent: { count: 2 },
      _meta: { 'things.test/count': 2 },
    });
  });

  it('lists titles, icons and metadata where there are any', async () => {
    await using connection = await connect(table, { era, caller });
    const { tools } = await connection.client.listTools();
    const { prompts } = await connection.client.listPrompts();

    expect(tools.find(({ name }) => name === 'rich')).toMatchObject({
      title: 'Rich',
      icons,
      _meta: { 'things.test/rich': true },
    });
    const plain = tools.find(({ name }) => name === 'all');
    expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining(['title']));
    expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining(['outputSchema']));
    expect(prompts).toMatchObject([{ name: 'conversation', icons }]);
  });

  it.each(Object.entries(resources))('reads the content of a resource: %s', async (name, [, expected]) => {
    await using connection = await connect(table, { era, caller });
    const { contents } = await connection.client.readResource({ uri: `thing://${name}` });

    expect(contents).toEqual(expected.map((content) => ({ uri: `thing://${name}`, ...content })));
  });

  it('gets a prompt of several messages', async () => {
    await using connection = await connect(table, { era, caller });
    const { messages } = await connection.client.getPrompt({
      name: 'conversation',
      arguments: { thing: 'it' },
    });

    expect(messages).toEqual([
      { role: 'user', content: { type: 'text', text: `I am ${caller.id}. Look at it.` } },
      { role: 'user', content: { type: 'image', data: base64, mimeType: 'image/png' } },
      {
        role: 'user',
        content: { type: 'resource', resource: { uri: 'thing://1', mimeType: 'text/plain', text: 'one' } },
      },
      { role: 'assistant', content: { type: 'text', text: 'I see it.' } },
    ]);
  });
});

describe('schemas other than one object', () => {
  const find = defineTool({
    ...shown,
    name: 'find',
    input: z.discriminatedUnion('by', [
      z.strictObject({ by: z.literal('id'), id: z.string().meta({ sensitive: true }) }),
      z.strictObject({ by: z.literal('name'), name: z.string() }),
    ]),
    output: z.array(z.object({ id: z.string() })),
    audit: (asked) => ({ arguments: { ...asked } }),
    handle: (asked) => Promise.resolve(asked.by === 'id' ? [{ id: asked.id }] : []),
    text: (found, asked) => `${found.length} by ${asked.by}`,
  });
  const anything = defineTool({
    ...shown,
    name: 'anything',
    input: z.strictObject({}),
    output: z.json(),
    handle: () => Promise.resolve([1, { two: [null] }]),
  });
  const audit = recordingAudit();
  const unions = createMethodTable(createCatalog({ tools: [find, anything] }), { audit });

  it.each(['2025', '2026'] as const)(
    'take a union of arguments in %s, each with its own privacy',
    async (era) => {
      await using connection = await connect(unions, { era, caller });
      const [{ inputSchema } = {}] = (await connection.client.listTools()).tools;
      const answer = await connection.client.callTool({
        name: 'find',
        arguments: { by: 'id', id: 'planted' },
      });
      const wrong = await connection.client.callTool({
        name: 'find',
        arguments: { by: 'name', id: 'planted' },
      });

      expect(inputSchema).toMatchObject({ type: 'object' });
      expect(answer).toMatchObject({ content: [{ text: '1 by id' }] });
      expect(wrong).toMatchObject({ isError: true });
      expect(audit.calls.at(-2)?.intent).toMatchObject({
        arguments: { by: 'id', id: '[withheld]' },
        argumentNames: ['by', 'id'],
      });
    },
  );

  it('give any value in 2026-07-28, and an object with it as result before', async () => {
    await using modern = await connect(unions, { era: '2026', caller });
    await using legacy = await connect(unions, { era: '2025', caller });
    const schemas = async ({ client }: typeof modern) =>
      (await client.listTools()).tools.map(({ outputSchema }) => outputSchema);
    const params = { name: 'find', arguments: { by: 'id', id: 'a' } };

    expect((await schemas(modern))[0]).toMatchObject({ type: 'array' });
    expect((await modern.client.callTool(params)).structuredContent).toEqual([{ id: 'a' }]);
    expect(await schemas(legacy)).toMatchObject([
      { type: 'object', properties: { result: { type: 'array' } }, required: ['result'] },
      { type: 'object', required: ['result'] },
    ]);
    expect((await legacy.client.callTool(params)).structuredContent).toEqual({ result: [{ id: 'a' }] });
    expect((await legacy.client.callTool({ name: 'anything', arguments: {} })).structuredContent).toEqual({
      result: [1, { two: [null] }],
    });
  });

  it.each([
    ['a union with what is no object', z.union([z.object({}), z.string()])],
    ['a union of texts', z.union([z.string(), z.number()])],
  ])('refuse %s as arguments', (_what, input) => {
    const bad = { ...find, input: input as unknown as typeof find.input };
    expect(() => createCatalog({ tools: [bad] })).toThrow('type must be "object"');
  });
});

describe('what nobody sees', () => {
  it.each([
    ['a control character', 'a\u0000b\u001bc\u009fd'],
    ['a turn of the direction', 'a\u202eb\u2066c\u200fd'],
    ['half a character', 'a\ud800b\udfffcd'],
  ])('is in no answer: %s', async (_what, text) => {
    const tool = defineTool({
      ...answering('say', ''),
      output: z.object({ words: z.array(z.string()), any: z.record(z.string(), z.string()) }),
      handle: () => Promise.resolve({ words: [text], any: { [text]: text } }),
      text: () => `${text}\n\t${text}`,
    });
    const said = createMethodTable(createCatalog({ tools: [tool, answering('block', [textContent(text)])] }));
    await using connection = await connect(said, { era: '2026', caller });

    expect(await connection.client.callTool({ name: 'say', arguments: {} })).toMatchObject({
      content: [{ text: 'abcd\n\tabcd' }],
      structuredContent: { words: ['abcd'], any: { abcd: 'abcd' } },
    });
    expect(await connection.client.callTool({ name: 'block', arguments: {} })).toMatchObject({
      content: [{ text: 'abcd' }],
    });
  });

  it('leaves every other character as it is', async () => {
    const text = 'naïve “quotes” — 漢字 שלום 👩🏽‍🚀 \\u0007 \\b\r\n';
    const said = createMethodTable(createCatalog({ tools: [answering('block', text)] }));
    await using connection = await connect(said, { era: '2025', caller });

    expect((await connection.client.callTool({ name: 'block', arguments: {} })).content).toEqual([
      { type: 'text', text },
    ]);
  });
});

describe('how long an answer may be kept', () => {
  const cached = createMethodTable(
    createCatalog({
      tools: [answering('one', 'Hello')],
      resources: [
        holding('public', { cache: { ttlMs: 60_000, scope: 'public' } }),
        holding('private', { cache: { ttlMs: 1_000 } }),
      ],
    }),
    { listTtlMs: 5_000 },
  );

  it('is said in the revision that has words for it', async () => {
    await using connection = await connect(cached, { era: '2026', caller });
    const { client } = connection;

    const own = { ttlMs: 5_000, cacheScope: 'private' };
    expect(await client.listTools()).toMatchObject(own);
    expect(await client.listResources()).toMatchObject(own);
    expect(await client.readResource({ uri: 'thing://public' })).toMatchObject({
      ttlMs: 60_000,
      cacheScope: 'public',
    });
    expect(await client.readResource({ uri: 'thing://private' })).toMatchObject({
      ttlMs: 1_000,
      cacheScope: 'private',
    });
  });

  it('is not said in the others', async () => {
    await using connection = await connect(cached, { era: '2025', caller });
    const answers = [
      await connection.client.listTools(),
      await connection.client.readResource({ uri: 'thing://public' }),
    ];

    expect(JSON.stringify(answers)).not.toMatch(/ttlMs|cacheScope/u);
  });
});
