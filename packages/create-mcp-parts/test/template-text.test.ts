import { describe, expect, it } from 'vitest';

import { textFor } from '../src/files/template-text.ts';

const TEMPLATE = `a
// <http>
b
// <redis>
c
// </redis>
// </http>
<!-- <!http> -->
d
<!-- </!http> -->
# <redis>
e
# </redis>
`;

describe('the text of a template', () => {
  it.each([
    [[], 'a\nd\n'],
    [['http'], 'a\nb\n'],
    [['http', 'redis'], 'a\nb\nc\ne\n'],
    [['redis'], 'a\nd\ne\n'],
  ])('for %j keeps the sections of these features', (features, expected) => {
    expect(textFor(TEMPLATE, new Set(features))).toBe(expected);
  });

  it('leaves no hole where a section was', () => {
    expect(textFor('f({\n  // <http>\n  a,\n  // </http>\n});\n', new Set())).toBe('f({});\n');
    expect(textFor('a\n\n// <http>\nb\n// </http>\n\nc\n', new Set())).toBe('a\n\nc\n');
  });

  it('refuses sections that cross, or have no end', () => {
    expect(() => textFor('// <a>\n// <b>\n// </a>\n// </b>\n', new Set())).toThrow('</a>');
    expect(() => textFor('// <a>\n', new Set())).toThrow('<a> has no end');
  });
});
