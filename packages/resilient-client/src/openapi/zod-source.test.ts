import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createZodSource, quote, type JsonSchema } from './zod-source.ts';

/** The schema that the written source is, with the components it uses. */
function build(schema: JsonSchema, components: Record<string, JsonSchema> = {}): z.ZodType {
  const source = createZodSource(components);
  const expression = source.expression(schema, 'here');
  // oxlint-disable-next-line no-implied-eval, no-new-func -- what is written is source: only running it shows that it is right
  return new Function('z', `${source.declarations().join('\n')}\nreturn ${expression};`)(z) as z.ZodType;
}

const person = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1 }, age: { type: 'integer', minimum: 0 } },
};

describe('zod source', () => {
  it.each<[string, JsonSchema, readonly unknown[], readonly unknown[]]>([
    ['anything that is JSON', {}, [1, 'a', null, { a: [true] }], [undefined, 1n, { at: new Date(0) }]],
    ['nothing', false, [], [1, null]],
    ['a string', { type: 'string', minLength: 2, maxLength: 3 }, ['ab', 'abc'], ['a', 'abcd', 1]],
    ['a pattern', { type: 'string', pattern: String.raw`^\d'\/"$` }, [`1'/"`], ['1']],
    ['an instant', { type: 'string', format: 'date-time' }, ['2026-01-01T00:00:00+01:00'], ['yesterday']],
    ['an unknown format', { type: 'string', format: 'shoe-size' }, ['44'], [44]],
    ['an integer', { type: 'integer', minimum: 1, exclusiveMaximum: 3 }, [1, 2], [0, 3, 1.5]],
    ['a number', { type: 'number', multipleOf: 0.5 }, [1.5], [1.2, '1']],
    ['a boolean', { type: 'boolean' }, [true], ['true']],
    ['a constant', { const: 'x' }, ['x'], ['y']],
    ['an enumeration', { type: 'string', enum: ['a', 'b'] }, ['a', 'b'], ['c']],
    ['a mixed enumeration', { enum: ['a', 1, null] }, ['a', 1, null], ['b', 2]],
    ['a nullable type', { type: ['string', 'null'], maxLength: 1 }, ['a', null], ['ab', 1]],
    ['several types', { type: ['string', 'integer'] }, ['a', 1], [null, 1.5]],
    ['alternatives', { oneOf: [{ type: 'string' }, { type: 'integer' }] }, ['a', 1], [null]],
    ['a list', { type: 'array', items: { type: 'string' }, minItems: 1 }, [['a']], [[], [1]]],
    ['an object', person, [{ name: 'a' }, { name: 'a', age: 1, more: true }], [{}, { name: '' }]],
    [
      'an object that takes no more',
      { ...person, additionalProperties: false },
      [{ name: 'a' }],
      [{ name: 'a', more: 1 }],
    ],
    ['a dictionary', { type: 'object', additionalProperties: { type: 'integer' } }, [{ a: 1 }], [{ a: 'b' }]],
    [
      'an object with a rest',
      { ...person, additionalProperties: { type: 'integer' } },
      [{ name: 'a', more: 1 }],
      [{ name: 'a', more: 'b' }],
    ],
    [
      'all of two',
      { allOf: [person, { type: 'object', required: ['id'], properties: { id: { type: 'string' } } }] },
      [{ name: 'a', id: '1' }],
      [{ name: 'a' }, { id: '1' }],
    ],
    ['odd names', { type: 'object', required: ["it's"], properties: { "it's": {} } }, [{ "it's": 1 }], [{}]],
  ])('accepts and refuses what %s does', (_, schema, accepted, refused) => {
    const built = build(schema);
    expect(accepted.filter((value) => !built.safeParse(value).success)).toEqual([]);
    expect(refused.filter((value) => built.safeParse(value).success)).toEqual([]);
  });

  it('writes a component once, after those it uses', () => {
    const source = createZodSource({
      Pair: { type: 'array', items: { $ref: '#/components/schemas/Item' } },
      Item: { type: 'string' },
    });

    expect(source.expression({ $ref: '#/components/schemas/Pair' }, 'a')).toBe('Pair');
    expect(source.expression({ $ref: '#/components/schemas/Item' }, 'b')).toBe('Item');
    expect(source.declarations()).toEqual(['const Item = z.string();', 'const Pair = z.array(Item);']);
  });

  it('makes a name of a component whose name is none', () => {
    const source = createZodSource({ '2.thing-list': { type: 'array' } });

    expect(source.expression({ $ref: '#/components/schemas/2.thing-list' }, 'a')).toBe('_2_thing_list');
    expect(source.declarations()).toEqual(['const _2_thing_list = z.array(z.json());']);
  });

  it('lets a component name itself, and two each other', () => {
    const tree: JsonSchema = {
      type: 'object',
      required: ['children'],
      properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Branch' } } },
    };
    const branch: JsonSchema = {
      type: 'object',
      properties: {
        tree: { $ref: '#/components/schemas/Tree' },
        next: { $ref: '#/components/schemas/Branch' },
      },
    };
    const built = build({ $ref: '#/components/schemas/Tree' }, { Tree: tree, Branch: branch });

    expect(built.safeParse({ children: [{ tree: { children: [] }, next: {} }] }).success).toBe(true);
    expect(built.safeParse({ children: [{ tree: { children: 'none' } }] }).success).toBe(false);
  });

  it('does not write a component that would use itself before it is there', () => {
    const items = { $ref: '#/components/schemas/Nested' };
    const source = createZodSource({ Nested: { type: 'array', items } });
    expect(() => source.expression(items, 'here')).toThrow('here: Nested, which leads to itself');
  });

  it.each<[string, JsonSchema]>([
    ['here: "not" is not supported', { not: { type: 'string' } }],
    ['here: "uniqueItems" is not supported', { type: 'array', uniqueItems: true }],
    ['here/properties/a: "if" is not supported', { properties: { a: { if: {} } } }],
    ['here: "minLength" is not supported', { $ref: '#/components/schemas/A', minLength: 1 }],
    ['here: "properties" is not supported', { oneOf: [{}], properties: {} }],
    ['a reference to ./b.yaml and not to', { $ref: './b.yaml' }],
    ['here: the type "date" is not supported', { type: 'date' }],
    ['here: "required" without "properties" is not supported', { type: 'object', required: ['a'] }],
    ['a reference to #/components/schemas/toString and not to', { $ref: '#/components/schemas/toString' }],
  ])('does not pretend to understand: %s', (message, schema) => {
    expect(() => createZodSource({ A: {} }).expression(schema, 'here')).toThrow(message);
  });

  it.each(["it's", 'a "quote"', 'back\\slash', 'line\nbreak', '\u2028', '${x}', '\\', "\\'", ''])(
    'quotes %j so that it comes back the same',
    (text) => {
      // oxlint-disable-next-line no-implied-eval, no-new-func -- as above
      expect(new Function(`return ${quote(text)};`)()).toBe(text);
    },
  );
});
