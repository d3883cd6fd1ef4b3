import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseUriTemplate } from './uri-template.ts';

const template = parseUriTemplate('deployment://config/{service}/{environment}');
const value = fc.string({ unit: 'grapheme', minLength: 1 });

describe('match', () => {
  it('gives back what was encoded into the variables', () => {
    fc.assert(
      fc.property(value, value, (service, environment) => {
        const uri = `deployment://config/${encodeURIComponent(service)}/${encodeURIComponent(environment)}`;
        expect(template.match(uri)).toEqual({ service, environment });
      }),
    );
  });

  it('never throws, and gives every variable a text or nothing at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rest) => {
        const values = template.match(`deployment://config/${rest}`) ?? { service: '', environment: '' };
        expect(Object.keys(values)).toEqual(['service', 'environment']);
      }),
    );
  });

  it.each([
    ['an empty variable', 'deployment://config//production'],
    ['one segment too many', 'deployment://config/a/b/c'],
    ['one segment too few', 'deployment://config/a'],
    ['a query', 'deployment://config/a/b?x=1'],
    ['a fragment', 'deployment://config/a/b#x'],
    ['another scheme', 'http://config/a/b'],
    ['another case of the literal part', 'deployment://CONFIG/a/b'],
    ['something before it', ' deployment://config/a/b'],
    ['a percent sign without digits', 'deployment://config/%/b'],
    ['a percent sign with letters that are no digits', 'deployment://config/%zz/b'],
    ['half a UTF-8 character', 'deployment://config/%C3/b'],
    ['an overlong encoding of a dot', 'deployment://config/%C0%AE/b'],
    ['../ instead of a variable', 'deployment://config/../../b'],
  ])('does not match %s', (_what, uri) => {
    expect(template.match(uri)).toBeUndefined();
  });

  // The parameters' schema decides about these: it sees what was meant, never an encoded form of it.
  it.each([
    ['..', '..'],
    ['%2e%2e', '..'],
    ['%2E%2E%2Fadmin', '../admin'],
    ['%252e%252e', '%2e%2e'],
    ['a%00b', 'a\0b'],
  ])('decodes %s once, to %j', (sent, service) => {
    expect(template.match(`deployment://config/${sent}/production`)).toEqual({
      service,
      environment: 'production',
    });
  });

  it('does not try a URI longer than 2,048 characters', () => {
    const two = parseUriTemplate('x://{a}.{b}/end');

    expect(two.match(`x://a.${'b'.repeat(2_036)}/end`)).toBeDefined();
    expect(two.match(`x://a.${'b'.repeat(2_039)}/end`)).toBeUndefined();
    expect(two.match(`x://${'.'.repeat(1_000_000)}`)).toBeUndefined();
  });

  it('takes the literal part literally', () => {
    const literal = parseUriTemplate('a.b://(x)+/{id}');

    expect(literal.match('a.b://(x)+/1')).toEqual({ id: '1' });
    expect(literal.match('aXb://xx/1')).toBeUndefined();
  });

  it('matches a template without variables exactly', () => {
    const single = parseUriTemplate('deployment://policy');

    expect(single.variables).toEqual([]);
    expect(single.match('deployment://policy')).toEqual({});
    expect(single.match('deployment://policy/x')).toBeUndefined();
  });
});

describe('parseUriTemplate', () => {
  it.each([
    ['an operator', 'x://{+path}', 'is not a plain variable'],
    ['an empty variable', 'x://{}', 'is not a plain variable'],
    ['a repeated variable', 'x://{a}/{a}', 'occurs twice'],
    ['two variables side by side', 'x://{a}{b}', 'nothing parts two variables'],
    ['an open brace', 'x://{a', 'unbalanced brace'],
    ['a closing brace', 'x://a}', 'unbalanced brace'],
    ['a nested brace', 'x://{{a}}', 'unbalanced brace'],
  ])('rejects %s', (_what, text, message) => {
    expect(() => parseUriTemplate(text)).toThrow(message);
  });
});
