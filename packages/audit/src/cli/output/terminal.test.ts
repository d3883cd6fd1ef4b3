import { PassThrough } from 'node:stream';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { shownText, writeTable, type Cell } from './terminal.ts';

function written(
  rows: readonly (readonly string[])[],
  columns?: number,
  widths?: readonly number[],
): string[] {
  const stream = Object.assign(new PassThrough(), { columns });
  writeTable(
    stream,
    rows.map((row) => row.map((text): Cell => ({ text }))),
    widths,
  );
  return String(stream.read()).trimEnd().split('\n');
}

describe('a table', () => {
  it('has columns of equal width and nothing at the end of its lines', () => {
    expect(
      written([
        ['a', 'bb', 'c'],
        ['dddd', 'e', ''],
      ]),
    ).toEqual(['a     bb  c', 'dddd  e']);
  });

  it('keeps the widths it is given, so that rows that come later stand below', () => {
    expect(written([['a', 'b']], undefined, [4])).toEqual(['a     b']);
  });

  it('is cut where the terminal ends, and says so', () => {
    expect(written([['abcdef', 'ghijkl']], 12)).toEqual(['abcdef  ghi…']);
    expect(written([['abcdef', 'ghijkl']], 4)).toEqual(['abc…']);
  });

  it('is never wider than the terminal', () => {
    const cell = fc.string({ unit: 'grapheme-ascii', maxLength: 30 });
    const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 80 }), (table, columns) => {
        for (const line of written(table, columns)) {
          expect(Array.from(line).length).toBeLessThanOrEqual(columns);
        }
      }),
    );
  });
});

describe('shown text', () => {
  it('holds nothing that could move, hide or reorder what stands beside it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(shownText(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u);
      }),
    );
  });
});
