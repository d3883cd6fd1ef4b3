import { createRequire } from 'node:module';

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { z as zod325 } from 'zod-3.25';
import * as zod400 from 'zod-3.25/v4';
import { z as zod41 } from 'zod-4.1';
import { z as zod42 } from 'zod-4.2';
import { z as zod43 } from 'zod-4.3';
import * as mini from 'zod/mini';

import { aPrompt, aResource, echoTool } from '../../../test/fixtures.ts';
import { createCatalog } from '../../catalog/catalog.ts';
import { checkSchemaVersion } from './schema-version.ts';

const { major, minor, patch } = z.core.version;
const own = `${major}.${minor}.${patch}`;

/** What the compiler refuses, for a project that does not ask it. */
function tool(schemas: { readonly input?: unknown; readonly output?: unknown }) {
  return () => createCatalog({ tools: [echoTool({ name: 'reset_password', ...(schemas as object) })] });
}

const wrappers: readonly (readonly [where: string, wrap: (inner: z.ZodType<string>) => z.ZodType])[] = [
  ['a field', (inner) => inner],
  ['an optional field', (inner) => inner.optional()],
  ['an optional field of ours', (inner) => z.optional(inner)],
  ['an array', (inner) => z.array(inner)],
  ['a tuple', (inner) => z.tuple([z.string(), inner])],
  ['a union', (inner) => z.union([z.number(), inner])],
  ['an intersection', (inner) => z.intersection(z.string(), inner)],
  ['a pipe', (inner) => z.pipe(z.string(), inner as z.ZodType<string, string>)],
  ['a lazy schema', (inner) => z.lazy(() => inner)],
  ['an object inside', (inner) => z.object({ inner })],
  ['the rest of an object', (inner) => z.object({}).catchall(inner)],
  ['the rest of a tuple', (inner) => z.tuple([z.string()], inner)],
  ['a record', (inner) => z.record(z.string(), inner)],
];

describe.each([
  ['3', zod325],
  ['4.0.0', zod400],
  ['4.1.12', zod41],
  ['4.2.1', zod42],
  ['4.3.0', zod43],
] as const)('a schema made with zod %s', (version, foreign) => {
  // Versions agree on what is needed here; their types do not.
  const other = foreign as unknown as typeof z;

  it('is refused at the start, by the name of its tool and both versions', () => {
    const input = other.object({ password: other.string() });

    expect(tool({ input })).toThrow(TypeError);
    expect(tool({ input })).toThrow(
      `tool "reset_password": input was made with zod ${version}, but mcp-parts uses ${own}. Install one zod: "npm ls zod" shows who asks for which`,
    );
    expect(tool({ output: input })).toThrow(`tool "reset_password": output was made with zod ${version},`);
  });

  it('is refused as the parameters of a resource and the arguments of a prompt', () => {
    const schema = other.object({ id: other.string() }) as never;

    expect(() => createCatalog({ resources: [aResource({ parameters: schema })] })).toThrow(
      `resource "thing": parameters was made with zod ${version},`,
    );
    expect(() => createCatalog({ prompts: [aPrompt({ arguments: schema })] })).toThrow(
      `prompt "plan": arguments was made with zod ${version},`,
    );
  });

  // zod itself takes a schema of zod 3 for options there, and the compiler refuses it.
  const places = version === '3' ? wrappers.slice(0, -2) : wrappers;

  it.each(places)('is refused inside %s', (_where, wrap) => {
    const input = z.strictObject({ password: wrap(other.string()) });

    expect(tool({ input })).toThrow(
      /^tool "reset_password": input\.password(\.inner)? was made with zod [34]/u,
    );
  });
});

describe('a schema of zod/mini', () => {
  it.each([
    ['the input', mini.object({ password: mini.string() }), 'input'],
    ['a field', z.object({ password: mini.string() }), 'input.password'],
  ])('is refused as %s', (_what, input, path) => {
    expect(tool({ input })).toThrow(
      `tool "reset_password": ${path} was made with zod/mini: make it with zod, whose annotations are read`,
    );
  });
});

it.each([
  ['nothing', undefined],
  ['null', null],
  ['a JSON Schema', { type: 'object' }],
  ['a schema of another library', { '~standard': { version: 1, vendor: 'valibot', validate: () => ({}) } }],
])('refuses %s in place of a schema', (_what, input) => {
  expect(tool({ input })).toThrow('tool "reset_password": input is not a zod schema');
});

it('takes a schema from another copy of the same version, with its annotations', () => {
  // The CommonJS build beside the ES modules.
  const { z: copy } = createRequire(import.meta.url)('zod') as { z: typeof z };
  expect(copy.ZodObject).not.toBe(z.ZodObject);
  const input = copy.strictObject({ password: copy.string().meta({ secret: true, title: 'Password' }) });

  const listing = createCatalog({ tools: [echoTool({ input })] }).tools.get('echo')?.listing;

  expect(listing?.['inputSchema']).toMatchObject({
    properties: { password: { type: 'string', title: 'Password' } },
  });
  expect(copy.globalRegistry).toBe(z.globalRegistry);
});

it('takes a schema that contains itself', () => {
  const node = z.object({
    name: z.string(),
    get children() {
      return z.array(node);
    },
  });

  expect(() => checkSchemaVersion('node', node)).not.toThrow();
});
