import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { sharedFields } from './event.ts';
import { fieldPicker } from './pick-fields.ts';

const fields = {
  id: z.string(),
  client: z.looseObject({ name: z.string(), version: z.string().optional() }).optional(),
  calls: z.array(z.looseObject({ upstream: z.string() })).optional(),
  digests: z.record(z.string(), z.string()).optional(),
  groups: z.array(z.string()),
};

describe('a picker', () => {
  const pick = fieldPicker(fields, { calls: 2, digests: 1 });

  it('copies what the table names, at every depth and in its order, and nothing else', () => {
    const picked = pick({
      stranger: 1,
      groups: ['a'],
      calls: [{ upstream: 'a', secret: 'x' }],
      client: { name: 'editor', token: 'x' },
      id: '1',
      schemaVersion: 9,
    });
    expect(JSON.stringify(picked)).toBe(
      '{"id":"1","client":{"name":"editor"},"calls":[{"upstream":"a"}],"groups":["a"]}',
    );
  });

  it('keeps the first entries of what has a maximum, and all of the rest', () => {
    const picked = pick({
      id: '1',
      groups: ['a', 'b', 'c'],
      calls: [{ upstream: 'a' }, { upstream: 'b' }, { upstream: 'c' }],
      digests: { a: '1', b: '2' },
    });
    expect(picked).toMatchObject({
      groups: { length: 3 },
      calls: [{ upstream: 'a' }, { upstream: 'b' }],
      digests: { a: '1' },
    });
  });

  it('keeps the first entries at any depth, and tells what it cut', () => {
    const nested = fieldPicker(
      { actor: z.object({ groups: z.array(z.string()) }), calls: fields.calls },
      {
        'actor.groups': 1,
        calls: 1,
      },
    );
    const cut: string[] = [];
    const picked = nested({ actor: { groups: ['a', 'b'] }, calls: [{ upstream: 'a' }] }, (path) =>
      cut.push(path),
    );
    expect(picked).toEqual({ actor: { groups: ['a'] }, calls: [{ upstream: 'a' }] });
    expect(cut).toEqual(['actor.groups']);
  });

  it('is done with an object of any shape, which it leaves as it is', () => {
    const pickShared = fieldPicker(sharedFields);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(sharedFields)), fc.jsonValue()), (value) => {
        const before = JSON.stringify(value);
        const names = Object.keys(pickShared(value));
        expect(names).toEqual(Object.keys(sharedFields).filter((name) => (value[name] ?? null) !== null));
        expect(JSON.stringify(value)).toBe(before);
      }),
    );
  });
});
