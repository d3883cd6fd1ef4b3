import { describe, expect, it } from 'vitest';

import { createCatalog, createMethodTable } from '../src/index.ts';
import { echoTool } from './fixtures.ts';

const factories = {
  createMethodTable: {
    create: (options: object) => createMethodTable(createCatalog({}), options),
    names: ['deadlineMs', 'maxOutputBytes', 'answerBytes', 'pageSize'],
    prefix: '',
  },
  createCatalog: {
    create: (options: object) => createCatalog({ tools: [echoTool(options)] }),
    names: ['deadlineMs'],
    prefix: 'tool "echo": ',
  },
} as const;

const rows = Object.entries(factories).flatMap(([factory, { create, names, prefix }]) =>
  names.flatMap((name) =>
    [Number.NaN, -1, 0, 0.5, Infinity, 2 ** 31, '5'].map((value) => ({
      factory,
      name,
      value,
      create,
      prefix,
    })),
  ),
);

describe('an option that is no sensible number', () => {
  it.each(rows)(
    'such as $name: $value is refused by $factory, by name',
    ({ name, value, create, prefix }) => {
      expect(() => create({ [name]: value })).toThrow(RangeError);
      expect(() => create({ [name]: value })).toThrow(
        new RegExp(
          `^${prefix}${name} must be a whole number from 1(?:024)? to \\d+, got ${String(value)}$`,
          'u',
        ),
      );
    },
  );

  it('is not one that is left out, as undefined too', () => {
    expect(() =>
      createMethodTable(createCatalog({}), { deadlineMs: undefined, maxOutputBytes: undefined }),
    ).not.toThrow();
  });
});
