import { array, assert, boolean, constantFrom, infiniteStream, property, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { distinguishedNameKey as key } from './distinguished-name.ts';

/** RFC 4514 §2.4, and then some spelling of the same name chosen by `random`. */
function escape(value: string, random: () => boolean): string {
  let text = '';
  for (const [index, character] of Array.from(value).entries()) {
    const isLast = index === Array.from(value).length - 1;
    const mustEscape =
      '"+,;<>\\'.includes(character) ||
      character === '\0' ||
      (character === '#' && index === 0) ||
      (character === ' ' && (index === 0 || isLast));
    const hex = [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    if (character === '\0') {
      text += '\\00';
    } else if (mustEscape) {
      text += random() ? hex : `\\${character}`;
    } else {
      text += random() && random() ? hex : character;
    }
  }
  return text;
}

const type = constantFrom('cn', 'ou', 'dc', 'uid', '2.5.4.3');
// Letters, everything with a meaning in a name, and characters of several bytes. No case: that is folded away.
const value = string({
  unit: constantFrom(...Array.from('abx ,+"\\<>;=#(*)\0éß漢😀')),
  minLength: 1,
  maxLength: 8,
});
const rdn = array(tuple(type, value), { minLength: 1, maxLength: 2 });
const name = array(rdn, { maxLength: 4 });
type Name = [string, string][][];

const write = (parts: Name, random: () => boolean): string =>
  parts
    .map((component) =>
      (random() ? component : component.toReversed())
        .map(
          ([type, value]) =>
            (random() ? type : type.toUpperCase()) + (random() ? '=' : ' = ') + escape(value, random),
        )
        .join(random() ? '+' : ' + '),
    )
    .join(random() ? ',' : ' , ');

/** What a name means, apart from its spelling. */
const meaning = (parts: Name): string =>
  JSON.stringify(
    parts.map((component) =>
      component.map(([type, value]) => `${type}=${value.replaceAll(/ +/g, ' ').trim()}`).toSorted(),
    ),
  );

function isKeyOrSyntaxError(text: string): boolean {
  try {
    return typeof key(text) === 'string';
  } catch (error) {
    return error instanceof SyntaxError;
  }
}

describe('distinguishedNameKey', () => {
  it('is the same for every spelling of a name', () => {
    assert(
      property(name, infiniteStream(boolean()), (parts, choices) => {
        const random = (): boolean => choices.next().value === true;
        expect(key(write(parts, random))).toBe(key(write(parts, () => true)));
      }),
    );
  });

  it('differs for different names', () => {
    assert(
      property(name, name, (one, other) => {
        const isSame = meaning(one) === meaning(other);
        expect(key(write(one, () => true)) === key(write(other, () => true))).toBe(isSame);
      }),
    );
  });

  it('gives a key or a SyntaxError for any text', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(isKeyOrSyntaxError(text)).toBe(true);
      }),
    );
  });

  it.each([
    ['the kind of escape', 'cn=Odd\\2C Group (x),dc=test', 'cn=Odd\\, Group (x),dc=test'],
    ['case and spaces', 'CN = production-deployers , OU=Groups', 'cn=production-deployers,ou=groups'],
    ['bytes of a character', 'cn=\\c3\\a9quipe', 'cn=équipe'],
    ['how a character is composed', 'cn=e\u0301quipe', 'cn=équipe'],
    ['order in a component', 'cn=a+ou=b,dc=test', 'ou=b+cn=a,dc=test'],
  ])('does not mind %s', (_, one, other) => expect(key(one)).toBe(key(other)));

  it.each([
    [
      'another parent',
      'cn=production-deployers,ou=self-service,dc=test',
      'cn=production-deployers,ou=groups,dc=test',
    ],
    ['a comma in a value', 'cn=Smith\\, Bob,dc=test', 'cn=Smith,cn=Bob,dc=test'],
    [
      'a value that spells a parent',
      'cn=production-deployers\\,ou=groups,dc=test',
      'cn=production-deployers,ou=groups,dc=test',
    ],
    ['a plus in a value', 'cn=a\\+ou\\=b', 'cn=a+ou=b'],
    ['a text like a hexadecimal value', 'cn=\\#0401', 'cn=#0401'],
    ['compatibility characters', 'cn=ﬁre', 'cn=fire'],
  ])('tells apart %s', (_, one, other) => expect(key(one)).not.toBe(key(other)));

  it.each([
    'cn',
    'cn=a,',
    '=a',
    'cn=a\\',
    'cn=a\\zz',
    'cn=a\\f',
    'cn="a"',
    'cn=a<b',
    'cn=#xyz',
    'cn=\\ff',
    'c n=a',
    'cn=a\0',
  ])('refuses %j', (text) => expect(() => key(text)).toThrow(SyntaxError));
});
