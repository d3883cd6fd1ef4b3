import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { visibleText, withoutUnseen } from './visible-text.ts';

/** Texts in which much cannot be seen. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom(
        'a',
        '7',
        '❤',
        '👩',
        '🏽',
        'ن',
        'क',
        '्',
        '\u200B',
        '\u200C',
        '\u200D',
        '\uFE0F',
        '\uFE0E',
        '\u202E',
        '\u2066',
        '\u200F',
        '\u00AD',
        '\u2060',
        '\uFEFF',
        '\u3164',
        '\u{E0041}',
        '\u{E0100}',
        '\uD83D',
        '\uDC69',
        '\u0007',
        '\u001B',
        '\u0085',
        '\uFFF9',
      ),
    ),
  )
  .map((parts) => parts.join(''));

const ALWAYS_UNSEEN =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/u;

describe('a text without what nobody sees', () => {
  it('has none of it, is well-formed, and stays as it is', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const seen = visibleText(text);
        expect(seen).not.toMatch(ALWAYS_UNSEEN);
        expect(seen).not.toMatch(
          /(?:\u200C|\u200D){2}|(?:\uFE0E|\uFE0F){2}|[a-z\s](?:\u200C|\u200D|\uFE0E|\uFE0F)/u,
        );
        expect(seen.isWellFormed()).toBe(true);
        expect(visibleText(seen)).toBe(seen);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    'Two lines\n\tand a tab',
    'Grüße, Ελλάδα, Київ',
    '日本語',
    'می‌خواهم',
    'क्‍ष',
    '👩‍👩‍👧 👍🏽 ❤️ 1️⃣',
    'עברית',
  ])('keeps %j', (text) => {
    expect(visibleText(text)).toBe(text);
  });

  it.each([
    ['tags, which say something to a model', `ok${String.fromCodePoint(0xe0072, 0xe0075, 0xe006e)}`, 'ok'],
    ['selectors, in which bytes can hide', 'ok\u{E0121}\u{E0122}\uFE01\uFE02', 'ok'],
    ['joiners between letters that do not join', 'a\u200Cb\u200Dc', 'abc'],
    ['several joiners', 'ن\u200C\u200C\u200Cن', 'نن'],
  ])('loses %s', (_what, text, expected) => {
    expect(visibleText(text)).toBe(expected);
  });

  it('is what every member and name of a result has', () => {
    fc.assert(
      fc.property(hostile, hostile, (name, text) => {
        const result = withoutUnseen({ [name]: { list: [text, 1, null] } });
        expect(JSON.stringify(result).replaceAll(/\\[ntr]/gu, '')).not.toMatch(/\\[ubf]/u);
        expect(Object.values(result)).toEqual([{ list: [visibleText(text), 1, null] }]);
        expect(Object.keys(result)).toEqual([visibleText(name)]);
      }),
    );
  });
});
