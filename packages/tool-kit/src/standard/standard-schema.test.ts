import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aRequest, echoTool, recordingPorts } from '../../test/fixtures.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { defineTool } from '../definition/define-tool.ts';
import type { JsonObject } from '../json.ts';
import { createMethodTable } from '../protocol/method-table.ts';
import { standardSchema, type StandardSchema } from './standard-schema.ts';

const shown = {
  name: 'greet',
  description: 'Greets.',
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'things:read',
};

/** The same tool with the schemas of each library. */
const tools = {
  zod: defineTool({
    ...shown,
    input: z.strictObject({
      name: z.string().min(2),
      token: z.string().meta({ secret: true }),
      times: z.number().default(1),
    }),
    output: z.object({ greeting: z.string(), times: z.number() }),
    handle: ({ name, times }) => Promise.resolve({ greeting: `Hello ${name}`, times, internal: 'host' }),
  }),
  valibot: defineTool({
    ...shown,
    input: standardSchema(
      toStandardJsonSchema(
        v.strictObject({
          name: v.pipe(v.string(), v.minLength(2)),
          token: v.pipe(v.string(), v.metadata({ secret: true })),
          times: v.optional(v.number(), 1),
        }),
      ),
    ),
    output: standardSchema(toStandardJsonSchema(v.object({ greeting: v.string(), times: v.number() }))),
    handle: ({ name, times }) => Promise.resolve({ greeting: `Hello ${name}`, times, internal: 'host' }),
  }),
  arktype: defineTool({
    ...shown,
    input: standardSchema(
      type({
        name: 'string >= 2',
        token: type('string').configure({ secret: true } as object),
        times: 'number = 1',
      }).onUndeclaredKey('reject'),
    ),
    output: standardSchema(type({ greeting: 'string', times: 'number' })),
    handle: ({ name, times }) => Promise.resolve({ greeting: `Hello ${name}`, times, internal: 'host' }),
  }),
};

describe.each(Object.entries(tools))('a tool with schemas of %s', (_library, tool) => {
  const call = async (sent: JsonObject) => {
    const ports = recordingPorts();
    const audit = { ...ports.audit, digest: (name: string) => `digest of ${name}` };
    const table = createMethodTable(createCatalog({ tools: [tool] }), { audit });
    const params = { name: 'greet', arguments: sent };
    const result = (await table.methods.get('tools/call')?.(params, aRequest())) ?? {};
    return { result, intents: ports.intents };
  };

  it('lists the JSON Schema that its library makes, without what is for the trail', () => {
    const { listing } = createCatalog({ tools: [tool] }).tools.get('greet') ?? {};
    expect(listing?.['inputSchema']).toMatchObject({
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 2 },
        token: { type: 'string' },
        times: { type: 'number' },
      },
      required: ['name', 'token'],
      additionalProperties: false,
    });
    expect(listing?.['outputSchema']).toMatchObject({
      type: 'object',
      properties: { greeting: { type: 'string' }, times: { type: 'number' } },
    });
    expect(JSON.stringify(listing)).not.toContain('secret');
    expect(JSON.stringify(listing)).not.toContain('$schema');
  });

  it('parses with it, defaults and all, and lets out what the output declares', async () => {
    const { result } = await call({ name: 'Ada', token: 'planted-secret', times: null });
    expect(result['structuredContent']).toEqual({ greeting: 'Hello Ada', times: 1 });
  });

  it('tells a model what is wrong, by argument', async () => {
    const { result } = await call({ name: 'A', token: 7, more: true });
    const [{ text } = { text: '' }] = result['content'] as readonly { readonly text: string }[];
    expect(result['isError']).toBe(true);
    expect(text).toMatch(
      /^Invalid arguments for greet\. name: .*token: .*more.* Correct them and try again\.$/u,
    );
  });

  it('keeps a secret argument out of the trail, and the names of all in it', async () => {
    const { intents } = await call({ name: 'Ada', token: 'planted-secret' });
    expect(intents[0]).toMatchObject({
      argumentNames: ['name', 'token', 'times'],
      argumentDigests: { name: 'digest of name', times: 'digest of times' },
    });
    expect(JSON.stringify(intents)).not.toContain('planted-secret');
  });
});

describe('standardSchema', () => {
  const standard = (schema: object): StandardSchema => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ value }),
      jsonSchema: { input: () => ({ ...schema }), output: () => ({ ...schema }) },
    },
  });

  it('reads an annotation in an alternative, in a reference and deep inside an argument', async () => {
    const schema = standardSchema(
      standard({
        type: 'object',
        anyOf: [
          { type: 'object', properties: { a: { $ref: '#/$defs/key' } } },
          {
            type: 'object',
            properties: { b: { type: 'array', items: { properties: { c: { sensitive: true } } } } },
          },
        ],
        $defs: { key: { type: 'string', secret: true } },
      }),
    );
    const { audit, intents } = recordingPorts();
    const tool = echoTool({
      input: schema as never,
      handle: () => Promise.resolve({ text: '' }),
      audit: (sent) => ({ arguments: sent as JsonObject }),
    });
    const table = createMethodTable(createCatalog({ tools: [tool] }), { audit });
    const params = { name: 'echo', arguments: { a: 'planted-a', b: [{ c: 'planted-c' }], d: 'seen' } };
    await table.methods.get('tools/call')?.(params, aRequest());

    expect(intents[0]?.arguments).toEqual({ a: '[withheld]', b: '[withheld]', d: 'seen' });
  });

  it('does not take a property called secret for an annotation', () => {
    const input = standardSchema(standard({ type: 'object', properties: { secret: { type: 'string' } } }));
    const { listing } =
      createCatalog({ tools: [echoTool({ input: input as never })] }).tools.get('echo') ?? {};
    expect(listing?.['inputSchema']).toMatchObject({ properties: { secret: { type: 'string' } } });
  });

  it.each([
    ['valibot without its converter', v.object({}), 'toStandardJsonSchema of @valibot/to-json-schema'],
    ['zod', z.object({}), 'needs no standardSchema'],
  ])('refuses a schema of %s, and says why', (_what, schema, message) => {
    expect(() => standardSchema(schema as unknown as StandardSchema)).toThrow(message);
  });

  it('refuses a check that takes its time', async () => {
    const slow = standardSchema({
      '~standard': { ...standard({ type: 'object' })['~standard'], validate: async (value) => ({ value }) },
    });
    const { logger, logged } = recordingPorts();
    const table = createMethodTable(createCatalog({ tools: [echoTool({ input: slow as never })] }), {
      logger,
    });
    const result = await table.methods.get('tools/call')?.({ name: 'echo', arguments: {} }, aRequest());

    expect(result?.['isError']).toBe(true);
    expect(JSON.stringify(logged.map(({ fields }) => String((fields as { err?: unknown }).err)))).toContain(
      'checks asynchronously',
    );
  });
});
