import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';

import { echoTool } from '../../test/fixtures.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { argumentRecorder, type ArgumentRecorder } from './argument-privacy.ts';

const recordArguments = (schema: z.ZodType, ...call: Parameters<ArgumentRecorder>) =>
  argumentRecorder(schema)(...call);

const audit = { digest: (name: string, text: string) => `digest of ${name}, ${text.length} characters` };

describe('recordArguments', () => {
  it('keeps names, what the definition allows, and digests of the rest', () => {
    const schema = z.object({ service: z.string(), note: z.string(), count: z.number().optional() });
    const input = { service: 'payments', note: 'call me', count: undefined };
    expect(recordArguments(schema, input, { arguments: { service: 'payments' } }, audit)).toEqual({
      arguments: { service: 'payments' },
      argumentNames: ['service', 'note'],
      argumentDigests: { note: 'digest of note, 7 characters' },
    });
  });

  it('keeps names alone without a key', () => {
    const recorded = recordArguments(z.object({ note: z.string() }), { note: 'call me' }, {});
    expect(recorded).toEqual({ argumentNames: ['note'] });
  });

  it('keeps a digest of a sensitive argument, whatever the definition says', () => {
    const schema = z.object({ email: z.string().meta({ sensitive: true }) });
    const input = { email: 'ada@example.org' };
    expect(recordArguments(schema, input, { arguments: input }, audit)).toEqual({
      arguments: { email: '[withheld]' },
      argumentNames: ['email'],
      argumentDigests: { email: 'digest of email, 15 characters' },
    });
  });

  it('keeps only the name of a secret argument', () => {
    const schema = z.object({ token: z.string().meta({ secret: true }) });
    const input = { token: 'planted-secret' };
    expect(recordArguments(schema, input, { arguments: input }, audit)).toEqual({
      arguments: { token: '[withheld]' },
      argumentNames: ['token'],
      argumentDigests: {},
    });
  });

  it('finds a protected value under another name, inside another text, and in the resource', () => {
    const schema = z.object({
      token: z.string().meta({ secret: true }),
      pin: z.number().meta({ secret: true }),
    });
    const details = {
      resource: 'service/planted-secret',
      arguments: {
        header: 'Bearer planted-secret',
        deep: [{ pin: 1234, other: 12345 }],
        fine: 'x',
        'planted-secret': true,
      },
    };
    expect(recordArguments(schema, { token: 'planted-secret', pin: 1234 }, details)).toMatchObject({
      resource: '[withheld]',
      arguments: {
        header: '[withheld]',
        deep: [{ pin: '[withheld]', other: 12345 }],
        fine: 'x',
        '[withheld]': true,
      },
    });
  });

  it.each([
    ['optional', z.string().meta({ secret: true }).optional()],
    ['optional, annotated outside', z.string().optional().meta({ secret: true })],
    ['nullable', z.string().meta({ secret: true }).nullable()],
    ['default', z.string().meta({ secret: true }).default('')],
    ['catch', z.string().meta({ secret: true }).catch('')],
    ['readonly', z.string().meta({ secret: true }).readonly()],
    ['a check after it', z.string().meta({ secret: true }).min(1)],
    ['a description after it', z.string().meta({ secret: true }).describe('A token')],
    [
      'a transform',
      z
        .string()
        .meta({ secret: true })
        .transform((text) => text),
    ],
    [
      'a refinement',
      z
        .string()
        .meta({ secret: true })
        .refine(() => true),
    ],
    ['a pipe', z.string().pipe(z.string().meta({ secret: true }))],
    ['a union', z.union([z.number(), z.string().meta({ secret: true })])],
    ['an intersection', z.string().and(z.string().meta({ secret: true }))],
    ['lazy', z.lazy(() => z.string().meta({ secret: true }))],
    ['both annotations', z.string().meta({ secret: true, sensitive: true })],
  ])('sees the annotation through %s', (_name, field) => {
    const input = { field: 'planted-secret' };
    const recorded = recordArguments(z.object({ field }), input, { arguments: input }, audit);
    expect(recorded).toMatchObject({ arguments: { field: '[withheld]' }, argumentDigests: {} });
  });

  it.each([
    ['an object', z.object({ inner: z.string().meta({ secret: true }) }), { inner: 'planted-secret' }],
    ['an array', z.array(z.string().meta({ secret: true })), ['planted-secret']],
    [
      'an array of objects',
      z.array(z.object({ a: z.string().meta({ secret: true }) })),
      [{ a: 'planted-secret' }],
    ],
    ['a record', z.record(z.string(), z.string().meta({ secret: true })), { any: 'planted-secret' }],
    [
      'the keys of a record',
      z.record(z.string().meta({ secret: true }), z.number()),
      { 'planted-secret': 1 },
    ],
    ['a tuple', z.tuple([z.string(), z.string().meta({ secret: true })]), ['open', 'planted-secret']],
    ['the rest of a tuple', z.tuple([z.number()], z.string().meta({ secret: true })), [1, 'planted-secret']],
    [
      'the members that an object does not name',
      z.object({}).catchall(z.string().meta({ secret: true })),
      { any: 'planted-secret' },
    ],
    [
      'an annotated object',
      z.object({ inner: z.string() }).meta({ secret: true }),
      { inner: 'planted-secret' },
    ],
    [
      'one alternative',
      z.union([z.object({ kind: z.literal('a') }), z.object({ key: z.string().meta({ secret: true }) })]),
      { key: 'planted-secret' },
    ],
  ])('sees the annotation inside %s', (_name, field, value) => {
    const schema = z.object({ field });
    const details = { arguments: z.record(z.string(), z.json()).parse({ field: value }) };
    const text = JSON.stringify(
      recordArguments(schema, { field: value }, details, { digest: (_name, text) => text }),
    );
    expect(text).not.toContain('planted-secret');
    expect(text).toContain('field');
  });

  it('counts an annotation around all arguments for each of them', () => {
    const schema = z.object({ a: z.string(), b: z.array(z.string()) }).meta({ secret: true });
    const input = { a: 'planted-secret', b: ['other-secret'] };
    expect(recordArguments(schema, input, { arguments: input, resource: 'x/other-secret' }, audit)).toEqual({
      resource: '[withheld]',
      arguments: { a: '[withheld]', b: '[withheld]' },
      argumentNames: ['a', 'b'],
      argumentDigests: {},
    });
  });

  it('sees the annotation of each of two lists', () => {
    const field = z.union([z.array(z.number()), z.array(z.string().meta({ secret: true }))]);
    const recorded = recordArguments(z.object({ field }), { field: ['planted-secret'] }, {}, audit);
    expect(recorded.argumentDigests).toEqual({});
  });

  it('reads a schema that contains itself, also through lazy', () => {
    const node: z.ZodType = z.lazy(() =>
      z.object({ token: z.string().meta({ secret: true }), parts: z.array(node).optional() }),
    );
    const input = { root: { token: 'first-secret', parts: [{ token: 'second-secret' }] } };
    const recorded = recordArguments(z.object({ root: node }), input, {
      resource: 'second-secret',
      arguments: { note: 'a first-secret', root: input.root },
    });
    expect(JSON.stringify(recorded)).not.toMatch(/(?:first|second)-secret/u);
  });

  it('finds a hidden text at every place of another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 6, maxLength: 12, unit: fc.constantFrom('a', 'b') }), {
          minLength: 1,
        }),
        fc.string({ maxLength: 60, unit: fc.constantFrom('a', 'b') }),
        (secrets, text) => {
          const schema = z.object({ secrets: z.array(z.string().meta({ sensitive: true })) });
          const { resource } = recordArguments(schema, { secrets }, { resource: text });
          expect(resource === '[withheld]').toBe(secrets.some((secret) => text.includes(secret)));
        },
      ),
    );
  });

  it('compares no more than a little, whatever look-alikes a client sends', () => {
    const compare = vi.spyOn(String.prototype, 'startsWith');
    onTestFinished(() => compare.mockRestore());
    const schema = z.object({ secrets: z.array(z.string().meta({ sensitive: true })) });
    const secrets = Array.from({ length: 5_000 }, (_, at) => `aaaaaa${at}`);
    const names = Array.from({ length: 5_000 }, () => 'aaaaaaaaaaaa');
    const recorded = recordArguments(schema, { secrets }, { arguments: { names } });

    expect(compare.mock.calls.length).toBeLessThan(1_000_000);
    expect(JSON.stringify(recorded)).not.toContain('aaaaaa1');
  });

  it('leaves out what is undefined, as JSON does', () => {
    const schema = z.object({ since: z.string().optional(), names: z.array(z.string()) });
    const input = { since: undefined, names: ['a'] };
    expect(recordArguments(schema, input, { arguments: input }).arguments).toStrictEqual({ names: ['a'] });
  });

  it('leaves out names that the schema does not know', () => {
    const input = { a: 'x', 'planted-secret': 1, constructor: 'y' };
    const recorded = recordArguments(z.looseObject({ a: z.string() }), input, {}, audit);
    expect(recorded.argumentNames).toEqual(['a']);
    expect(JSON.stringify(recorded)).not.toContain('planted-secret');
  });

  it('never lets a secret through, wherever a definition puts it', () => {
    const schema = z.object({ token: z.string().meta({ secret: true }), rest: z.unknown() });
    const token = fc.string({ minLength: 6 }).map((text) => `\u2603${text}`);
    fc.assert(
      fc.property(token, fc.string(), fc.jsonValue(), (secret, around, rest) => {
        const details = {
          resource: around + secret,
          arguments: { a: secret, b: [{ c: `${around}${secret}${around}` }] },
        };
        const recorded = recordArguments(schema, { token: secret, rest }, details);
        expect(recorded).toMatchObject({
          resource: '[withheld]',
          arguments: { a: '[withheld]', b: [{ c: '[withheld]' }] },
        });
      }),
    );
  });

  it('keeps its annotations out of what clients are shown', () => {
    const input = z.strictObject({ text: z.string().meta({ secret: true, title: 'Text' }) });
    const { listing } = createCatalog({ tools: [echoTool({ input })] }).tools.get('echo') ?? {};
    expect(JSON.stringify(listing)).toContain('"title":"Text"');
    expect(JSON.stringify(listing)).not.toContain('secret');
  });
});
