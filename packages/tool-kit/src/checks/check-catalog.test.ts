import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aPrompt, aResource, echoTool } from '../../test/fixtures.ts';
import { createCatalog, type CatalogDefinitions } from '../catalog/catalog.ts';
import { checkCatalog } from './check-catalog.ts';

const good = z.strictObject({
  text: z.string().describe('What to say back, of at most 1,000 characters.').max(1_000),
});
const tool = (overrides: Parameters<typeof echoTool>[0] = {}) => echoTool({ input: good, ...overrides });
const found = (definitions: CatalogDefinitions, options = {}) =>
  checkCatalog(createCatalog(definitions), options).map(({ code, name, at }) => [
    code,
    name,
    ...(at ? [at] : []),
  ]);
const ofInput = (input: ReturnType<typeof echoTool>['input']) => found({ tools: [tool({ input })] });

describe('checkCatalog', () => {
  it('finds nothing in what every client takes', () => {
    const described = z.object({ goal: z.string().describe('What to reach') });
    const definitions = {
      tools: [tool()],
      resources: [aResource()],
      prompts: [aPrompt({ arguments: described })],
    };
    expect(found(definitions, { instructions: 'Say what you mean.' })).toEqual([]);
  });

  it.each(['Echo', 'say.back', 'say-back', 'say__back', '_say', '1st', 'say_'])(
    'finds that not every client takes the name %s, and names one that it does',
    (name) => {
      const [problem] = checkCatalog(createCatalog({ tools: [tool({ name })] }));
      expect(problem).toMatchObject({ code: 'name_form', level: 'error', kind: 'tool', name });
      const suggested = /Write (?<name>\S+)\.$/u.exec(problem?.message ?? '')?.groups?.['name'] ?? '';
      expect(found({ tools: [tool({ name: suggested })] })).toEqual([]);
    },
  );

  it('finds names that are cut, and names that are one once they are cut or changed', () => {
    const long = 'a'.repeat(41);
    expect(found({ tools: [tool({ name: long })] })).toEqual([['name_long', long]]);
    const [one, other] = ['list_the_deployments_of_service_a', 'list_the_deployments_of_service_b'];
    expect(found({ tools: [tool({ name: one }), tool({ name: other }), tool()] })).toEqual([
      ['names_alike', one],
      ['names_alike', other],
    ]);
    expect(found({ tools: [tool({ name: 'a.b' }), tool({ name: 'a_b' })] })).toContainEqual([
      'names_alike',
      'a_b',
    ]);
  });

  it('finds what a model is told in the schema alone', () => {
    expect(
      ofInput(
        z.strictObject({
          key: z
            .string()
            .describe('Any unique text')
            .regex(/^[\w-]+$/u)
            .max(100),
        }),
      ),
    ).toEqual([['constraint_unsaid', 'echo', '/inputSchema/properties/key']]);
    expect(ofInput(z.strictObject({ key: z.string() }))).toEqual([
      ['argument_undescribed', 'echo', '/inputSchema/properties/key'],
    ]);
    const said = z
      .string()
      .describe('8 to 100 letters')
      .min(8)
      .max(100)
      .regex(/^[a-z]+$/u);
    expect(ofInput(z.strictObject({ list: z.array(z.strictObject({ said })).describe('Several') }))).toEqual(
      [],
    );
  });

  it('takes a bound as said that the description of the tool says', () => {
    const input = z.strictObject({ text: z.string().describe('What to say').max(10_000) });
    const description = 'Says a text of at most 10,000 characters back.';
    expect(found({ tools: [tool({ input, description })] })).toEqual([]);
    expect(found({ tools: [tool({ input })] })).toEqual([
      ['constraint_unsaid', 'echo', '/inputSchema/properties/text'],
    ]);
  });

  it('finds what known clients refuse in a schema', () => {
    const described = z.string().describe('A text');
    const node = z.strictObject({
      get inner() {
        return node.optional().describe('More of it');
      },
    });
    const construct = (input: Parameters<typeof ofInput>[0]) =>
      ofInput(input).flatMap(([code, , at]) => (code === 'schema_construct' ? [at] : []));
    expect(construct(z.union([z.strictObject({ a: described }), z.strictObject({ b: described })]))).toEqual([
      '/inputSchema/anyOf',
    ]);
    expect(construct(z.strictObject({ n: z.int().positive().describe('How many') }))).toEqual([
      '/inputSchema/properties/n/exclusiveMinimum',
    ]);
    expect(construct(z.strictObject({ n: described.meta({ type: ['string', 'null'] }) }))).toEqual([
      '/inputSchema/properties/n/type',
    ]);
    expect(construct(node)[0]).toMatch(/\$ref$/u);
  });

  it('finds what costs a model too much', () => {
    const options = {
      countTokens: (text: string) => text.length,
      maxToolTokens: 10,
      maxListTokens: 20,
      maxTools: 1,
    };
    const definitions = { tools: [tool(), tool({ name: 'other' })] };
    expect(found(definitions, options)).toEqual([
      ['too_many_tools', ''],
      ['list_costly', ''],
      ['tool_costly', 'echo'],
      ['tool_costly', 'other'],
    ]);
    expect(found({}, { instructions: 'x'.repeat(4_097) })).toEqual([['instructions_long', '']]);
    const description = 'x'.repeat(2_001);
    expect(found({ tools: [tool({ description })], resources: [aResource({ description })] })).toEqual([
      ['description_long', 'echo', '/description'],
      ['tool_costly', 'echo'],
      ['description_long', 'thing', '/description'],
    ]);
  });

  it('finds tools and arguments of prompts that people are not told about', () => {
    const definitions = {
      tools: [tool({ title: undefined, annotations: { ...tool().annotations, destructive: true } })],
      prompts: [aPrompt()],
    };
    expect(found(definitions)).toEqual([
      ['title_missing', 'echo'],
      ['annotations_contradict', 'echo', '/annotations'],
      ['argument_undescribed', 'plan', '/arguments/0'],
    ]);
  });

  it('looks at what is offered now', () => {
    const catalog = createCatalog({ tools: [tool({ name: 'Bad' })] });
    catalog.change({ disable: { tools: ['Bad'] } });
    expect(checkCatalog(catalog)).toEqual([]);
  });

  it('points at a place that the list entry has', () => {
    const key = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(key, (name) => {
        const catalog = createCatalog({ tools: [tool({ input: z.strictObject({ [name]: z.string() }) })] });
        const listing: unknown = catalog.tools.get('echo')?.listing;
        for (const { at = '' } of checkCatalog(catalog)) {
          const steps = at
            .split('/')
            .slice(1)
            .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
          expect(
            steps.reduce<unknown>((node, step) => (node as Readonly<Record<string, unknown>>)[step], listing),
          ).toBeDefined();
        }
      }),
    );
  });

  it.each(['maxToolTokens', 'maxListTokens', 'maxTools'])('refuses no number for %s', (name) => {
    expect(() => found({}, { [name]: 0 })).toThrow(RangeError);
  });
});

describe('createCatalog', () => {
  it.each(['readOnly', 'destructive', 'idempotent', 'openWorld'])(
    'names a tool without annotations.%s',
    (hint) => {
      const annotations = { ...tool().annotations, [hint]: undefined };
      expect(() => createCatalog({ tools: [tool({ annotations })] })).toThrow(
        `tool "echo": annotations.${hint} must be true or false, got undefined`,
      );
    },
  );

  it('names what nobody sees in the description of an argument', () => {
    const input = z.strictObject({ text: z.string().describe('Say\u202e it') });
    expect(() => createCatalog({ tools: [tool({ input })] })).toThrow(
      '#/properties/text/description: has the character U+202E, which nobody sees',
    );
  });
});
