import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { formSchema } from './form-schema.ts';
import { form } from './form.ts';
import { openUrl } from './open-url.ts';

/** How a form shows one field. */
const shown = (schema: z.ZodType) => {
  const { properties } = formSchema(z.object({ field: schema })) as {
    readonly properties: { readonly field: unknown };
  };
  return properties.field;
};

describe('a form', () => {
  it.each([
    [
      'a text',
      z.string().min(1).max(9).describe('Help').meta({ title: 'Name' }).default('Ada'),
      { type: 'string', title: 'Name', description: 'Help', minLength: 1, maxLength: 9, default: 'Ada' },
    ],
    ['an address', z.email(), { type: 'string', format: 'email' }],
    ['a page', z.url(), { type: 'string', format: 'uri' }],
    ['a day', z.iso.date(), { type: 'string', format: 'date' }],
    ['a time', z.iso.datetime(), { type: 'string', format: 'date-time' }],
    ['a text with a pattern, which clients do not know', z.string().regex(/^a/u), { type: 'string' }],
    [
      'a number',
      z.number().min(1).max(2).default(1.5),
      { type: 'number', minimum: 1, maximum: 2, default: 1.5 },
    ],
    ['a whole number', z.int(), { type: 'integer' }],
    ['yes or no', z.boolean().default(true), { type: 'boolean', default: true }],
    ['a choice', z.enum(['a', 'b']).default('b'), { type: 'string', enum: ['a', 'b'], default: 'b' }],
    ['one choice', z.literal('a'), { type: 'string', enum: ['a'] }],
    [
      'a choice with names as older clients know them',
      z.enum(['a']).meta({ enumNames: ['A'] }),
      { type: 'string', enum: ['a'], enumNames: ['A'] },
    ],
    [
      'a choice with titles',
      z.union([z.literal('a').meta({ title: 'A' }), z.literal('b')]),
      {
        type: 'string',
        oneOf: [
          { const: 'a', title: 'A' },
          { const: 'b', title: 'b' },
        ],
      },
    ],
    [
      'several choices',
      z
        .array(z.enum(['a', 'b']))
        .min(1)
        .max(2)
        .default(['a']),
      {
        type: 'array',
        minItems: 1,
        maxItems: 2,
        items: { type: 'string', enum: ['a', 'b'] },
        default: ['a'],
      },
    ],
    [
      'several choices with titles',
      z.array(z.union([z.literal('a').meta({ title: 'A' }), z.literal('b').meta({ title: 'B' })])),
      {
        type: 'array',
        items: {
          anyOf: [
            { const: 'a', title: 'A' },
            { const: 'b', title: 'B' },
          ],
        },
      },
    ],
  ])('shows %s', (_what, schema, expected) => {
    expect(shown(schema)).toEqual(expected);
  });

  it('requires what has no default', () => {
    expect(
      formSchema(z.object({ a: z.string(), b: z.string().default('x'), c: z.string().optional() })),
    ).toMatchObject({
      type: 'object',
      required: ['a'],
    });
  });

  it.each([
    ['an object', z.object({ a: z.string() })],
    ['a list of texts', z.array(z.string())],
    ['nothing', z.null()],
    ['a text or nothing', z.string().nullable()],
    ['a text or a number', z.union([z.string(), z.number()])],
  ])('cannot show %s', (_what, schema) => {
    expect(() => form('What?', z.object({ field: schema }))).toThrow(
      'form: "field" must be a text, a number, yes or no, or a choice of texts: a form is flat',
    );
  });
});

describe('a page to open', () => {
  it.each(['https://pay.example/1', 'http://localhost:8080/', 'http://127.0.0.1/'])('may be %s', (url) => {
    expect(openUrl('Pay', url).params).toEqual({ mode: 'url', message: 'Pay', url });
  });

  it.each(['http://pay.example/', 'javascript:alert(1)', 'file:///etc/passwd', 'pay', ''])(
    'may not be %j',
    (url) => {
      expect(() => openUrl('Pay', url)).toThrow('openUrl: url must be an absolute https: URL');
    },
  );
});
