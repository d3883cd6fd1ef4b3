import type { JsonObject } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';

import { changesOf } from './changes.ts';
import type { Contract, ToolContract } from './contract.ts';

const contract = (tool: Partial<ToolContract> = {}, more: Partial<Contract> = {}): Contract => ({
  lockVersion: 1,
  tools: {
    find: { description: 'Finds.', readOnly: true, destructive: false, input: { type: 'object' }, ...tool },
  },
  resources: { thing: { uriTemplate: 'thing://{id}' } },
  prompts: { plan: { goal: 'required', style: 'optional' } },
  ...more,
});

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
});

function levels(before: Contract, after: Contract) {
  return [...new Set(changesOf(before, after).map(({ level }) => level))];
}

describe('what breaks clients', () => {
  const word = { type: 'string', maxLength: 10 };
  // Each pair, read the other way round, is the opposite for what a client gets.
  it.each<[string, JsonObject, JsonObject]>([
    ['an argument that is needed', object({}), object({ a: word }, { required: ['a'] })],
    [
      'an argument that can no longer be left out',
      object({ a: word }),
      object({ a: word }, { required: ['a'] }),
    ],
    ['an argument that is refused', object({ a: word }), object({})],
    [
      'a type that is not taken',
      object({ a: { type: ['string', 'number'] } }),
      object({ a: { type: 'string' } }),
    ],
    ['a value that is not taken', object({ a: { enum: ['x', 'y'] } }), object({ a: { enum: ['x'] } })],
    ['a shorter text', object({ a: word }), object({ a: { ...word, maxLength: 5 } })],
    ['a higher minimum', object({ a: { type: 'number' } }), object({ a: { type: 'number', minimum: 1 } })],
    ['a pattern', object({ a: { type: 'string' } }), object({ a: { type: 'string', pattern: '^a$' } })],
    [
      'a change in a list',
      object({ a: { type: 'array', items: word } }),
      object({ a: { type: 'array', items: { type: 'number' } } }),
    ],
    ['a change deep inside', object({ a: object({ b: word }) }), object({ a: object({}) })],
    [
      'a change of alternatives',
      object({ a: { anyOf: [word] } }),
      object({ a: { anyOf: [word, { type: 'null' }] } }),
    ],
  ])('is %s', (_what, before, after) => {
    expect(levels(contract({ input: before }), contract({ input: after }))).toContain('breaking');
  });

  it.each<[string, JsonObject, JsonObject]>([
    ['a member that is gone', object({ a: word }), object({})],
    ['a member that may be missing', object({ a: word }, { required: ['a'] }), object({ a: word })],
    [
      'a value that was not given before',
      object({ a: { enum: ['x'] } }),
      object({ a: { enum: ['x', 'y'] } }),
    ],
  ])('is %s of an output', (_what, before, after) => {
    expect(levels(contract({ output: before }), contract({ output: after }))).toEqual(['breaking']);
  });

  it.each<[string, Contract, Contract]>([
    ['a tool that is gone', contract(), { ...contract(), tools: {} }],
    ['a read that changes something', contract(), contract({ readOnly: false })],
    ['an output that is gone', contract({ output: object({}) }), contract()],
    [
      'a resource at another place',
      contract(),
      contract({}, { resources: { thing: { uriTemplate: 'x://{id}' } } }),
    ],
    ['a prompt that is gone', contract(), contract({}, { prompts: {} })],
    [
      'a prompt that needs more',
      contract(),
      contract({}, { prompts: { plan: { goal: 'required', style: 'required' } } }),
    ],
    ['a former name that is given up', contract({ formerNames: ['search'] }), contract()],
  ])('is %s', (_what, before, after) => {
    expect(levels(before, after)).toEqual(['breaking']);
  });
});

describe('what breaks nobody', () => {
  it.each<[string, Contract, Contract]>([
    [
      'an argument that may be left out',
      contract({ input: object({}) }),
      contract({ input: object({ a: {} }) }),
    ],
    ['a member of an output', contract({ output: object({}) }), contract({ output: object({ a: {} }) })],
    ['a new tool', { ...contract(), tools: {} }, contract()],
    ['a new resource', contract({}, { resources: {} }), contract()],
    [
      'a prompt that needs less',
      contract(),
      contract({}, { prompts: { plan: { goal: 'optional', style: 'optional' } } }),
    ],
  ])('is %s', (_what, before, after) => {
    expect(levels(before, after)).toEqual(['compatible']);
  });

  it('is nothing for a contract that stays as it is', () => {
    expect(
      changesOf(contract({ output: object({ a: {} }) }), contract({ output: object({ a: {} }) })),
    ).toEqual([]);
  });

  it('is another wording, which is told apart', () => {
    const described = (description: string) => object({ a: { type: 'string', description } });
    expect(levels(contract({ input: described('A.') }), contract({ input: described('B.') }))).toEqual([
      'wording',
    ]);
    expect(levels(contract(), contract({ description: 'Looks for.' }))).toEqual(['wording']);
  });
});
