import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { redactTokens } from './redact-tokens.ts';
import { redactJsonLine, redactValues } from './redact.ts';
import { isSecretName } from './secret-names.ts';
import { hasSecretShape, nextSecretWord } from './secret-shapes.ts';

function tokensOf(text: string, isWhole = true): string | undefined {
  const lower = text.toLowerCase();
  const firstWord = nextSecretWord(lower, 0);
  return redactTokens({ text, lower, isWhole, firstWord, hasShape: hasSecretShape(text, lower) });
}

const name = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom(
    'token',
    'tokens',
    'X-Api-Key',
    'name',
    'key',
    'value',
    'type',
    'a "b"',
    'Bearer abc',
    'pin',
    'data',
  ),
);
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    'Bearer planted',
    'authorization',
    'X-Api-Key',
    'say "token=x"\n',
    'Buffer',
    '\\"',
    'https://a:b@c',
  ),
);
const scalar = fc.oneof(
  text,
  text,
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 5 }),
  ),
}));
const record = fc.dictionary(name, value, { maxKeys: 6 });

describe('redactTokens', () => {
  it('writes what reading the values and writing them again would, or leaves the line to that', () => {
    fc.assert(
      fc.property(record, (fields) => {
        const line = `${JSON.stringify(fields)}\n`;
        expect(tokensOf(line) ?? redactValues(line)).toBe(redactValues(line));
      }),
      { numRuns: 5_000 },
    );
  });

  it('may begin behind what is known to be harmless', () => {
    const head = '{"level":"info","name":"b"';
    const rest = ',"token":"x","a":[1,{"b":"Bearer y"}],"c":"İ"}\n';
    const redacted = ',"token":"[Redacted]","a":[1,{"b":"Bearer [Redacted]"}],"c":"İ"}\n';
    expect(redactJsonLine(head + rest, head.length)).toBe(head + redacted);
    expect(tokensOf(rest.replace('İ', 'I'), false)).toBe(redacted.replace('İ', 'I'));
    expect(redactJsonLine(`${head}}\n`, head.length)).toBe(`${head}}\n`);
    fc.assert(
      fc.property(record, (fields) => {
        const json = JSON.stringify(fields).slice(1);
        const line = json === '}' ? `${head}}\n` : `${head},${json}\n`;
        expect(redactJsonLine(line, head.length)).toBe(redactJsonLine(line));
      }),
    );
  });

  it.each([
    '{"token":"a',
    '{"token":',
    '{"a":1}{"token":"b"}',
    '{"a":1} x',
    '"token"',
    '',
    '{"a" : "token"}',
    '{"token":{"b":1}',
  ])('leaves %j, which pino does not write, to others', (line) => {
    expect(tokensOf(line)).toBeUndefined();
  });

  it.each([
    '{"headers":["authorization","a"]}',
    '{"name":"X-Api-Key","value":"a"}',
    '{"type":"Buffer","data":[1]}',
    '{"Bearer abc":1}',
  ])('leaves %s, where only the values tell, to others', (line) => {
    expect(tokensOf(line)).toBeUndefined();
  });

  it('takes all that is usual', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^[a-z]{1,9}$/).filter((name) => !isSecretName(name)),
          fc.oneof(fc.integer(), fc.boolean()),
        ),
        (fields) => {
          const line = `${JSON.stringify({ ...fields, err: { stack: 'a\n  at "b"' }, access_token: 'planted' })}\n`;
          expect(tokensOf(line)).toBe(line.replace('planted', '[Redacted]'));
        },
      ),
    );
  });
});
