import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aRequest, echoTool } from '../../test/fixtures.ts';
import { createCatalog } from '../catalog/catalog.ts';
import type { JsonObject } from '../json.ts';
import { createMethodTable } from '../protocol/method-table.ts';
import { withoutUnseen } from '../visible-text.ts';
import { excerpt } from './shortened.ts';

interface Kind {
  readonly schema: z.ZodType;
  readonly value: fc.Arbitrary<unknown>;
}

const longText = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ minLength: 300, maxLength: 2_000, unit: 'grapheme' }),
);

/** Schemas of outputs, each with what it lets through. No tuples: the Ajv of the SDK knows none of 2020-12. */
const { kind } = fc.letrec<{ readonly kind: Kind; readonly leaf: Kind }>((tie) => ({
  leaf: fc.oneof(
    fc.constant({ schema: z.string(), value: longText }),
    fc.constant({ schema: z.string().min(3), value: fc.string({ minLength: 3, maxLength: 900 }) }),
    fc.constant({ schema: z.string().regex(/^a+$/u), value: fc.stringMatching(/^a{1,400}$/u) }),
    fc.constant({ schema: z.enum(['on', 'off']), value: fc.constantFrom('on', 'off') }),
    fc.constant({ schema: z.number(), value: fc.integer() }),
    fc.constant({ schema: z.json(), value: fc.jsonValue() }),
  ),
  kind: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    tie('kind').map(({ schema, value }) => ({ schema: schema.nullable(), value: fc.option(value) })),
    fc.tuple(tie('kind'), fc.nat({ max: 3 })).map(([{ schema, value }, least]) => ({
      schema: z.array(schema).min(least),
      value: fc.array(value, { minLength: least, maxLength: 40, size: 'max' }),
    })),
    tie('kind').map(({ schema, value }) => ({
      schema: z.record(z.string(), schema),
      value: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), value, { maxKeys: 20, size: 'max' }),
    })),
    fc.tuple(tie('kind'), tie('kind'), fc.boolean()).map(([one, other, isLoose]) => ({
      schema: (isLoose ? z.looseObject : z.object)({ one: one.schema, other: other.schema.optional() }),
      value: fc.record({ one: one.value, other: other.value }, { requiredKeys: ['one'] }),
    })),
    fc.tuple(tie('kind'), tie('kind')).map(([one, other]) => ({
      schema: z.discriminatedUnion('type', [
        z.object({ type: z.literal('one'), it: one.schema }),
        z.object({ type: z.literal('other'), it: other.schema }),
      ]),
      value: fc.oneof(
        one.value.map((it) => ({ type: 'one', it })),
        other.value.map((it) => ({ type: 'other', it })),
      ),
    })),
  ),
}));

const output = fc.tuple(kind, fc.boolean()).chain(([{ schema, value }, saysNext]) =>
  value.map((it) => ({
    schema: z.object({ it: schema, ...(saysNext && { nextStep: z.string().optional() }) }),
    value: { it },
  })),
);

const saysAll = { ...echoTool(), text: (output: unknown) => JSON.stringify(output) };

describe('an answer cut to a budget', () => {
  it('fits the schema that was listed, says in both forms that it was cut, and keeps to its size', async () => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(
        output,
        fc.integer({ min: 1_024, max: 6_000 }),
        async ({ schema, value }, answerBytes) => {
          const tool = { ...saysAll, output: schema, handle: () => Promise.resolve(value) };
          const catalog = createCatalog({ tools: [tool] });
          const table = createMethodTable(catalog, { answerBytes, maxOutputBytes: 2_000_000 });
          const params = { name: 'echo', arguments: { text: 'a' } };
          const result = (await table.methods.get('tools/call')?.(params, aRequest())) ?? {};

          expect(result['isError']).toBeUndefined();
          const structured = result['structuredContent'] as JsonObject;
          const listed = catalog.tools.get('echo')?.listing['outputSchema'] as JsonObject;
          const validation = new AjvJsonSchemaValidator().getValidator(listed)(structured);
          expect(validation.errorMessage).toBeUndefined();

          const [{ text = '' } = {}] = result['content'] as readonly { readonly text?: string }[];
          // What nobody sees is not left out: it was never there.
          const whole = withoutUnseen(schema.parse(value) as JsonObject);
          const isCut = JSON.stringify(structured) !== JSON.stringify(whole);
          const forms = [text, JSON.stringify(structured)];
          expect(forms.map((form) => /[Ll]eft out[,;]/u.test(form))).toEqual([isCut, isCut]);
          expect(!isCut || forms.every((form) => Buffer.byteLength(form) <= answerBytes)).toBe(true);
          cuts += isCut ? 1 : 0;
        },
      ),
      { numRuns: 100 },
    );
    // Or the property would say nothing.
    expect(cuts).toBeGreaterThan(5);
  });
});

describe('excerpt', () => {
  it('never ends within a character and never exceeds its size', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 200, unit: 'grapheme' }),
        fc.integer({ min: 120, max: 400 }),
        (text, max) => {
          const shown = excerpt(text, max);
          expect(shown.isWellFormed()).toBe(true);
          expect(shown === text || Buffer.byteLength(shown) <= max).toBe(true);
        },
      ),
    );
  });
});
