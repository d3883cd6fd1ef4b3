import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aCaller, aPrompt, aRequest, aResource, echoTool } from '../../test/fixtures.ts';
import { isHeld, isVisible } from '../definition/permission.ts';
import { createMethodTable } from '../protocol/method-table.ts';
import { createCatalog } from './catalog.ts';

describe('createCatalog', () => {
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
    expect(listing?.['inputSchema']).not.toHaveProperty('required');
    expect(listing?.['outputSchema']).toMatchObject({ type: 'object', required: ['count'] });
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
