import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aCaller, aPrompt, aRequest, aResource, echoTool } from '../../test/fixtures.ts';
import type { ToolDefinition } from '../definition/define-tool.ts';
import { isHeld, isVisible } from '../definition/permission.ts';
import { createMethodTable } from '../protocol/method-table.ts';
import { createCatalog } from './catalog.ts';

function listingOf(tool: ToolDefinition) {
  const listing = createCatalog({ tools: [tool] }).tools.get(tool.name)?.listing;
  return z.object({ inputSchema: z.looseObject({}), outputSchema: z.looseObject({}) }).parse(listing);
}

describe('createCatalog', () => {
  it('refuses a former name that belongs to another tool', () => {
    const tools = [echoTool(), echoTool({ name: 'say', formerNames: ['echo'] })];
    expect(() => createCatalog({ tools })).toThrow('its former name "echo" belongs to the tool "echo"');
  });

  it.each(['', 'has space', 'a/b', 'ä', 'x'.repeat(65), 'line\n'])('rejects the name %j', (name) => {
    expect(() => createCatalog({ tools: [echoTool({ name })] })).toThrow(TypeError);
  });

  it.each(['a', 'A.b-c_9', 'x'.repeat(64), '__proto__', 'constructor'])('takes the name %j', (name) => {
    expect(createCatalog({ tools: [echoTool({ name })] }).tools.get(name)?.listing['name']).toBe(name);
  });

  it('names the definition that occurs twice', () => {
    expect(() => createCatalog({ tools: [echoTool(), echoTool()] })).toThrow('tool "echo" is defined twice');
    expect(() => createCatalog({ resources: [aResource(), aResource()] })).toThrow(
      'resource "thing" is defined twice',
    );
    expect(() => createCatalog({ prompts: [aPrompt(), aPrompt()] })).toThrow(
      'prompt "plan" is defined twice',
    );
  });

  it('lets a tool, a resource and a prompt have the same name', () => {
    const catalog = createCatalog({
      tools: [echoTool({ name: 'same' })],
      resources: [aResource({ name: 'same' })],
      prompts: [aPrompt({ name: 'same' })],
    });

    expect([catalog.tools.size, catalog.resources.size, catalog.prompts.size]).toEqual([1, 1, 1]);
  });

  it('rejects a template that occurs twice', () => {
    const definitions = { resources: [aResource(), aResource({ name: 'other' })] };

    expect(() => createCatalog(definitions)).toThrow(
      'resource "other": the template thing://{id} occurs twice',
    );
  });

  it.each([
    ['a variable without a parameter', z.object({})],
    ['a parameter without a variable', z.object({ id: z.string(), more: z.string() })],
    ['another name', z.object({ ID: z.string() })],
  ])('rejects %s', (_what, parameters) => {
    expect(() => createCatalog({ resources: [aResource({ parameters })] })).toThrow(
      /^resource "thing": the template has \{id\}/u,
    );
  });

  it.each([0, -1, Number.NaN, 2 ** 31])('rejects a deadline of %d ms', (deadlineMs) => {
    expect(() => createCatalog({ tools: [echoTool({ deadlineMs })] })).toThrow(RangeError);
  });

  it('names the tool whose schema JSON Schema cannot express', () => {
    const output = z.object({ at: z.date() });

    expect(() => createCatalog({ tools: [echoTool({ output })] })).toThrow(
      'tool "echo": JSON Schema cannot express its output',
    );
  });

  it('lists the input as it is sent and the output as it is received', () => {
    const tool = echoTool({
      input: z.strictObject({ count: z.number().default(1) }),
      output: z.object({ count: z.number().default(1) }),
    });
    const listing = createCatalog({ tools: [tool] }).tools.get('echo')?.listing;

    expect(listing?.['inputSchema']).toMatchObject({ type: 'object', additionalProperties: false });
    expect(listing?.['inputSchema']).toHaveProperty('required', []);
    expect(listing?.['outputSchema']).toMatchObject({ type: 'object', required: ['count'] });
  });

  it.each(['input', 'output'] as const)('names no dialect in its %s', (io) => {
    const schema = listingOf(echoTool())[`${io}Schema`];
    expect(schema).toHaveProperty('type', 'object');
    expect(JSON.stringify(schema)).not.toContain('$schema');
  });

  it('writes out what a schema with an id refers to', () => {
    const shared = z.object({ n: z.string() }).meta({ id: 'Shared' });
    const input = z.strictObject({ a: shared, b: z.array(shared).describe('Several') }).meta({ id: 'Input' });
    const { inputSchema } = listingOf(echoTool({ input, output: z.object({}) }));

    expect(inputSchema).toMatchObject({
      type: 'object',
      properties: {
        a: { type: 'object', properties: { n: { type: 'string' } } },
        b: { type: 'array', description: 'Several', items: { properties: { n: { type: 'string' } } } },
      },
      required: ['a', 'b'],
    });
    expect(JSON.stringify(inputSchema)).not.toMatch(/\$ref|\$defs|Shared/u);
  });

  it('keeps a reference only where a schema contains itself', () => {
    const node = z.object({
      name: z.string(),
      get parts() {
        return z.array(node);
      },
    });
    const output = z.object({ tree: node, other: z.string() }).meta({ id: 'Output' });
    const { outputSchema } = listingOf(echoTool({ output }));

    expect(outputSchema).toMatchObject({ type: 'object', properties: { other: { type: 'string' } } });
    expect(Object.keys(outputSchema['$defs'] ?? {})).toHaveLength(1);
  });

  it.each([
    ['another type', z.object({}).meta({ type: 'string' }), 'type must be "object", got "string"'],
    [
      'no type',
      z.object({ a: z.string().meta({ type: 'text' }) }),
      '#/properties/a/type: not a type of JSON Schema',
    ],
    ['a list of no schemas', z.object({}).meta({ anyOf: {} }), '#/anyOf: has no schemas'],
    [
      'a broken reference',
      z.object({ a: z.unknown().meta({ $ref: '#/$defs/no' }) }),
      'leads nowhere: #/$defs/no',
    ],
    [
      'a reference elsewhere',
      z.object({}).meta({ allOf: [{ $ref: 'https://x.test/s' }] }),
      'leads nowhere: https:',
    ],
    [
      'a description that is none',
      z.object({}).meta({ description: 5 as unknown as string }),
      '#/description: must be',
    ],
    [
      'required names that are none',
      z.object({}).meta({ required: [5] }),
      '#/required: must be a list of names',
    ],
    ['no schema in it', z.object({}).meta({ not: 5 }), '#/not: a schema must be an object'],
  ])('refuses a schema that would break the list of every client: %s', (_what, input, problem) => {
    expect(() => createCatalog({ tools: [echoTool({ input })] })).toThrow(TypeError);
    expect(() => createCatalog({ tools: [echoTool({ input })] })).toThrow(problem);
  });

  it.each(['http://things.test/a.svg', 'javascript:alert(1)', 'data:text/html,x', '/a.svg'])(
    'refuses the icon %s',
    (src) => {
      expect(() => createCatalog({ tools: [echoTool({ icons: [{ src }] })] })).toThrow(
        'tool "echo": an icon',
      );
    },
  );

  it.each([-1, 0.5, Number.NaN])('refuses a resource that may be kept for %d ms', (ttlMs) => {
    expect(() => createCatalog({ resources: [aResource({ cache: { ttlMs } })] })).toThrow(
      'resource "thing": cache.ttlMs must be',
    );
  });

  it('refuses what is not JSON in a schema', () => {
    const input = z.object({ a: z.string().meta({ examples: [1n] }) });

    expect(() => createCatalog({ tools: [echoTool({ input })] })).toThrow('tool "echo": JSON Schema cannot');
  });

  it.each([
    ['an empty text', '', 'must be a text'],
    ['blanks', ' \n', 'must be a text'],
    ['no text', 7 as unknown as string, 'must be a text, got 7'],
    ['a control character', 'Deletes\u0007 it', 'U+0007'],
    ['a turn of the direction', 'Reads\u202e it', 'U+202E'],
  ])('refuses %s in place of a description', (_what, description, problem) => {
    expect(() => createCatalog({ tools: [echoTool({ description })] })).toThrow(`tool "echo": description`);
    expect(() => createCatalog({ prompts: [aPrompt({ description })] })).toThrow(problem);
    expect(() => createCatalog({ resources: [aResource({ title: description })] })).toThrow('"thing": title');
  });

  it('tells which arguments of a prompt are required', () => {
    const prompt = aPrompt({
      arguments: z.object({ goal: z.string().describe('What to reach'), tone: z.string().optional() }),
    });

    expect(createCatalog({ prompts: [prompt] }).prompts.get('plan')?.listing).toMatchObject({
      arguments: [
        { name: 'goal', description: 'What to reach', required: true },
        { name: 'tone', required: false },
      ],
    });
  });

  it('works the lists out once', async () => {
    const catalog = createCatalog({ tools: [echoTool()], resources: [aResource()], prompts: [aPrompt()] });
    const { methods } = createMethodTable(catalog);

    for (const [method, member] of [
      ['tools/list', 'tools'],
      ['prompts/list', 'prompts'],
      ['resources/templates/list', 'resourceTemplates'],
    ] as const) {
      const firstEntry = async () => {
        const result = await methods.get(method)?.({}, aRequest());
        return z.array(z.unknown()).parse(result?.[member])[0];
      };
      expect(await firstEntry()).toBe(await firstEntry());
    }
  });
});

describe('isVisible', () => {
  it.each([
    ['one name', 'things:read', true],
    ['one name that is not held', 'things:write', false],
    ['any of several', { anyOf: ['things:write', 'things:read'], select: () => '' }, true],
    ['none of several', { anyOf: ['things:write'], select: () => 'things:read' }, false],
    ['nothing to hold', { anyOf: [], select: () => 'things:read' }, false],
  ])('needs %s', (_what, permission, visible) => {
    expect(isVisible(permission, aCaller())).toBe(visible);
  });

  it('counts what a better token would open, which is shown and not held', () => {
    const caller = aCaller({ permissions: [], obtainablePermissions: ['things:write'] });
    expect([isVisible('things:write', caller), isHeld('things:write', caller)]).toEqual([true, false]);
    expect(isVisible('things:read', caller)).toBe(false);
  });
});
