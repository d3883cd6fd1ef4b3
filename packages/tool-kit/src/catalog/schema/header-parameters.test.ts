import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { echoTool } from '../../../test/fixtures.ts';
import { createMethodTable } from '../../protocol/method-table.ts';
import { createCatalog } from '../catalog.ts';

const region = z.string().meta({ 'x-mcp-header': 'Region' });

function parametersOf(input: z.ZodObject) {
  const catalog = createCatalog({ tools: [echoTool({ input })] });
  return createMethodTable(catalog).headerParameters.get('echo');
}

describe('arguments that are repeated in headers', () => {
  it('are found by their path', () => {
    const input = z.object({
      region: region.optional(),
      inner: z.object({ count: z.int().meta({ 'x-mcp-header': 'Count' }) }),
    });
    expect(parametersOf(input)).toEqual([
      { header: 'Region', path: ['region'], type: 'string' },
      { header: 'Count', path: ['inner', 'count'], type: 'integer' },
    ]);
  });

  it('are none by default', () => {
    expect(parametersOf(z.object({ text: z.string() }))).toEqual([]);
  });

  it.each([
    ['a number', z.object({ size: z.number().meta({ 'x-mcp-header': 'Size' }) })],
    ['an item of a list', z.object({ list: z.array(region) })],
    ['one of a choice', z.object({ one: z.union([region, z.object({ two: region })]) })],
    ['no token', z.object({ region: z.string().meta({ 'x-mcp-header': 'My Region' }) })],
    ['a name twice', z.object({ a: region, b: z.string().meta({ 'x-mcp-header': 'REGION' }) })],
  ])('are refused at %s, where clients would drop the tool', (_what, input) => {
    expect(() => parametersOf(input)).toThrow(TypeError);
  });
});
