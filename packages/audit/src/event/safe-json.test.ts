import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { boundedCopy, safeJson } from './safe-json.ts';

describe('safeJson', () => {
  it('escapes control, line-separator and bidi characters, and decodes to the same text', () => {
    const text = 'a\u0000\n\u001b\u007f\u0085\u061c\u200e\u2028\u2029\u202a\u202e\u2066\u2069é';
    const json = safeJson({ text });
    expect(json).toMatch(/^[\x20-\x7e]+é"\}$/);
    expect(JSON.parse(json)).toEqual({ text });
  });

  it('is always one line that decodes to what JSON.stringify encodes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const json = safeJson(value);
        expect(json).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('boundedCopy', () => {
  it('caps long text and marks it', () => {
    expect(boundedCopy('x'.repeat(1024))).toHaveLength(1024);
    expect(boundedCopy('x'.repeat(1025))).toBe(`${'x'.repeat(1024)}…[truncated]`);
  });

  it('replaces lone surrogates, also one made by the cap', () => {
    expect(boundedCopy('\ud800')).toBe('\ufffd');
    expect(boundedCopy(`${'x'.repeat(1023)}😀`)).toBe(`${'x'.repeat(1023)}\ufffd…[truncated]`);
  });

  it('ends a cycle', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(JSON.stringify(boundedCopy(cycle))).toContain('[too deep]');
  });

  it('runs no toJSON and keeps a __proto__ key as data', () => {
    const value: unknown = {
      toJSON: () => 'forged',
      big: 10n,
      ...JSON.parse('{"nested":{"__proto__":"data"}}'),
    };
    expect(JSON.stringify(boundedCopy(value))).toBe('{"big":"10","nested":{"__proto__":"data"}}');
  });
});
