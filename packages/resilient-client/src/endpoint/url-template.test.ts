import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BadTarget, compileTarget, parseBaseUrl } from './url-template.ts';

const base = parseBaseUrl('https://api.example/v1/');
const buildThing = compileTarget(base, '/things/{id}/parts');
const build = (id: unknown, query?: Record<string, unknown>) => buildThing({ id }, query);

/** The target, or undefined when the parameter was refused in the one way it may be. */
function targetOrRefusal(id: string) {
  try {
    return build(id);
  } catch (error) {
    if (error instanceof BadTarget) {
      return undefined;
    }
    throw error;
  }
}

/** Text that tries to leave its segment more often than chance would. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('.', '..', '/', '\\', '%2e', '%2f', '?', '#', '@', '//', ':', '\0', '\u202E'),
      fc.string(),
    ),
  )
  .map((parts) => parts.join(''));

describe('compileTarget', () => {
  it('either refuses a parameter or keeps it as one segment of the same path on the same origin', () => {
    fc.assert(
      fc.property(hostile, (id) => {
        const target = targetOrRefusal(id);
        fc.pre(target !== undefined);
        const url = new URL(target.path, target.origin);
        expect(url.origin).toBe('https://api.example');
        const segments = url.pathname.split('/');
        expect(segments).toHaveLength(5);
        expect([segments[1], segments[2], segments[4]]).toEqual(['v1', 'things', 'parts']);
        expect(decodeURIComponent(segments[3] ?? '')).toBe(id);
        expect(url.search).toBe('');
      }),
    );
  });

  it.each([
    '',
    '.',
    '..',
    '../admin',
    'a/../b',
    String.raw`a\..\b`,
    'a\u0000b',
    '\uD800',
    undefined,
    null,
    Number.NaN,
    {},
  ])('refuses %j as a parameter', (id) => expect(() => build(id)).toThrow(BadTarget));

  it('never names the refused value', () => {
    expect(() => build('../secret')).toThrow(/^"id" must not hold/);
  });

  it('keeps slashes of a name inside its segment', () => {
    expect(build('team/service').path).toBe('/v1/things/team%2Fservice/parts');
  });

  it('does not take parameters from the prototype', () => {
    expect(() => compileTarget(base, '/{constructor}')({}, {})).toThrow(BadTarget);
  });

  it.each(['/../admin', '/a/./b', '/{id}/..'])(
    'refuses the template %s whatever its parameters',
    (template) => {
      expect(() => compileTarget(base, template)({ id: 'a' }, undefined)).toThrow(BadTarget);
    },
  );

  it('puts every parameter where it belongs', () => {
    const build = compileTarget(base, '/{a}-{b}/x/{a}');
    expect(build({ a: 'one', b: 'two 2' }, undefined).path).toBe('/v1/one-two%202/x/one');
  });

  it('writes a query that reads back as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (query) => {
        const url = new URL(build('a', query).path, base.origin);
        // A query parser reads broken Unicode as U+FFFD; nothing else may change.
        expect([...url.searchParams]).toEqual(
          Object.entries(query).map((pair) => pair.map((text) => text.toWellFormed())),
        );
      }),
    );
  });

  it('repeats the name of an array and leaves undefined out', () => {
    expect(build('a', { tag: ['x', 'y'], limit: 5, after: undefined }).path).toBe(
      '/v1/things/a/parts?tag=x&tag=y&limit=5',
    );
  });
});

describe('parseBaseUrl', () => {
  it.each([
    'api.example',
    'ftp://api.example',
    'https://user:pass@api.example',
    'https://api.example/?a=1',
    'https://api.example/#a',
  ])('refuses %s', (url) => expect(() => parseBaseUrl(url)).toThrow(TypeError));
});
