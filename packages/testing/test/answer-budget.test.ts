import {
  createCatalog,
  createMethodTable,
  defineTool,
  type JsonObject,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { registerTool } from '@mcp-parts/tool-kit/sdk-2026';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, connect2026, testCaller } from '../src/index.ts';

const caller = testCaller({ permissions: ['things:read'] });
const common = {
  description: 'Answers.',
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'things:read',
} as const;

const entries = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `service-${index}`, owner: 'logistics' }));

/** Says nothing of what is to be done when the list is too long. */
const plainList = defineTool({
  ...common,
  name: 'list',
  input: z.strictObject({ count: z.int() }),
  output: z.object({ services: z.array(z.object({ name: z.string(), owner: z.string() })) }),
  handle: ({ count }) => Promise.resolve({ services: entries(count) }),
});

const pagedList = defineTool({
  ...common,
  name: 'page',
  input: z.strictObject({ after: z.int().default(0) }),
  output: z.object({
    total: z.int(),
    services: z.array(z.object({ name: z.string(), owner: z.string() })),
    nextCursor: z.int().optional(),
    nextStep: z.string().optional(),
  }),
  handle: ({ after }) => Promise.resolve({ total: 500, services: entries(500).slice(after) }),
  text: ({ total, services }) =>
    [`${total} services:`, ...services.map(({ name, owner }) => `- ${name} of ${owner}`)].join('\n'),
  whenCut: ({ services }, { after }) => {
    const next = after + services.length;
    return { nextCursor: next, nextStep: `Call page with after=${next} for the rest.` };
  },
});

const report = defineTool({
  ...common,
  name: 'report',
  input: z.strictObject({}),
  output: z.object({ id: z.string(), log: z.string() }),
  handle: () => Promise.resolve({ id: 'build-7', log: 'line of a log\n'.repeat(5_000) }),
  whole: ({ id }) => ({ uri: `log://${id}`, name: `log of ${id}`, mimeType: 'text/plain' }),
});

const novel = defineTool({
  ...common,
  name: 'novel',
  input: z.strictObject({}),
  handle: () => Promise.resolve(['Chapter one. '.repeat(4_000), 'The end.']),
  whole: () => ({ uri: 'novel://1', name: 'novel' }),
});

const tools = [plainList, pagedList, report, novel];

async function call(
  era: '2025' | '2026',
  name: string,
  sent: JsonObject = {},
  options: MethodTableOptions = { answerBytes: 4_096 },
) {
  const table = createMethodTable(createCatalog({ tools }), options);
  await using connection = await connect(table, { era, caller });
  // It checks the structured content with the schema that was listed.
  await connection.client.listTools();
  const result = await connection.client.callTool({ name, arguments: sent });
  const [first] = result.content;
  return {
    ...result,
    text: first?.type === 'text' ? first.text : '',
    structured: (result.structuredContent ?? {}) as Record<string, unknown> & {
      readonly services: unknown[];
    },
  };
}

describe.each(['2025', '2026'] as const)('an answer that is too long, in %s', (era) => {
  it('is a list that ends earlier and says so in both forms', async () => {
    const { text, structured } = await call(era, 'list', { count: 500 });

    const said = `Left out, as the answer is too long: ${500 - structured.services.length} of 500 entries of services. Ask for less at a time to see the rest.`;
    expect(structured).toEqual({
      services: entries(500).slice(0, structured.services.length),
      nextStep: said,
    });
    expect(structured.services.length).toBeGreaterThan(50);
    expect(Buffer.byteLength(JSON.stringify(structured))).toBeLessThanOrEqual(4_096);
    expect(text).toContain(said);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
  });

  it('is a page with the cursor of the next, and no entry is skipped or repeated', async () => {
    const seen: unknown[] = [];
    let after: number | undefined = 0;
    let pages = 0;
    while (after !== undefined) {
      const { text, structured } = await call(era, 'page', { after });
      seen.push(...structured.services);
      pages += 1;
      expect(structured['total']).toBe(500);
      after = structured['nextCursor'] as number | undefined;
      const next = `Call page with after=${after} for the rest.`;
      expect([text.includes(next), JSON.stringify(structured).includes(next)]).toEqual(
        after === undefined ? [false, false] : [true, true],
      );
    }

    expect(seen).toEqual(entries(500));
    expect(pages).toBeGreaterThan(3);
  });

  it('is an excerpt with a link to all of it', async () => {
    const { text, structured, content } = await call(era, 'report');

    expect(structured['id']).toBe('build-7');
    expect(structured['log']).toMatch(/^line of a log\n.* \[…\d+ more characters left out.*\]$/su);
    expect(structured['nextStep']).toContain('Read the resource log://build-7 for all of it.');
    expect(text).toContain('Read the resource log://build-7 for all of it.');
    expect(content.at(-1)).toMatchObject({ type: 'resource_link', uri: 'log://build-7' });
  });

  it('is an excerpt when it is content alone', async () => {
    const { content } = await call(era, 'novel');
    const texts = content.map((block) => (block.type === 'text' ? block.text : ''));

    expect(Buffer.byteLength(texts.join(''))).toBeLessThanOrEqual(4_096);
    expect(texts[0]).toMatch(/^Chapter one\..* \[…\d+ more characters left out/u);
    expect(texts[1]).toBe('The end.');
    expect(texts[2]).toContain('Read the resource novel://1 for all of it.');
    expect(content.at(-1)).toMatchObject({ type: 'resource_link', uri: 'novel://1' });
  });

  it('is shorter for a client that would cut it itself', async () => {
    const byClient = async (name: string) => {
      const { structured } = await call(
        era,
        'list',
        { count: 500 },
        {
          answerBytesByClient: { [name]: 2_048 },
        },
      );
      return structured.services.length;
    };

    // The name that the test's client gives itself.
    expect(await byClient('mcp-parts-testing')).toBeLessThan(60);
    expect(await byClient('constructor')).toBe(500);
  });

  it('leaves one alone that fits', async () => {
    const { structured } = await call(era, 'list', { count: 3 });
    expect(structured).toEqual({ services: entries(3) });
  });

  it('is cut rather than refused, when it is over the maximum of all outputs', async () => {
    const { isError, structured } = await call(era, 'list', { count: 500 }, { maxOutputBytes: 8_192 });
    expect(isError).toBeUndefined();
    expect(structured.services.length).toBeGreaterThan(10);
  });
});

describe('what leaves', () => {
  const loose = defineTool({
    ...common,
    name: 'loose',
    input: z.strictObject({}),
    output: z.looseObject({
      name: z.string(),
      parts: z.array(z.union([z.looseObject({ id: z.int() }), z.string()])),
      labels: z.record(z.string(), z.string()),
    }),
    handle: () =>
      Promise.resolve({
        name: 'a',
        internalHost: 'db-7.internal',
        parts: [{ id: 1, password: 'hunter2' }, 'b'],
        labels: { any: 'name' },
      }),
    text: (output) => JSON.stringify(output),
  });

  it.each(['2025', '2026'] as const)('is what the output schema declares, in %s', async (era) => {
    const table = createMethodTable(createCatalog({ tools: [loose] }));
    await using connection = await connect(table, { era, caller });
    const result = await connection.client.callTool({ name: 'loose', arguments: {} });

    const declared = { name: 'a', parts: [{ id: 1 }, 'b'], labels: { any: 'name' } };
    expect(result.structuredContent).toEqual(declared);
    expect(result.content).toEqual([{ type: 'text', text: JSON.stringify(declared) }]);
  });
});

describe('registerTool', () => {
  it('announces what it says of a list that was cut', async () => {
    await using connection = await connect2026(() => {
      const server = new McpServer({ name: 'theirs', version: '1.0.0' });
      registerTool(server, plainList, {
        origin: () => ({ caller, transport: 'stdio' }),
        answerBytes: 2_048,
      });
      return server;
    });
    await connection.client.listTools();
    const result = await connection.client.callTool({ name: 'list', arguments: { count: 500 } });

    expect((result.structuredContent as JsonObject)['nextStep']).toContain('of 500 entries of services');
  });
});
