import { describe, expect, it, vi } from 'vitest';

import { aCaller, aPrompt, aRequest, aResource, recordingPorts } from '../../test/fixtures.ts';
import type { RequestContext } from '../call/operation.ts';
import type { PipelineOptions } from '../call/pipeline-options.ts';
import { createCatalog } from '../catalog/catalog.ts';
import type { Completer } from '../definition/call-context.ts';
import type { ResourceDefinition } from '../definition/define-resource.ts';
import type { JsonObject } from '../json.ts';
import { createMethodTable } from './method-table.ts';

const ofResource = { type: 'ref/resource', uri: 'thing://{id}' };
const ofPrompt = { type: 'ref/prompt', name: 'plan' };

function completion(overrides: Partial<ResourceDefinition> = {}, options: PipelineOptions = {}) {
  const catalog = createCatalog({ resources: [aResource(overrides)], prompts: [aPrompt()] });
  const handler = createMethodTable(catalog, options).methods.get('completion/complete');
  return (params: JsonObject, request: Partial<RequestContext> = {}) => handler?.(params, aRequest(request));
}

describe('completion/complete', () => {
  it('suggests values for a variable of a resource', async () => {
    expect(await completion()({ ref: ofResource, argument: { name: 'id', value: '1' } })).toEqual({
      completion: { values: ['1'], total: 1, hasMore: false },
    });
  });

  it('suggests values for an argument of a prompt', async () => {
    expect(await completion()({ ref: ofPrompt, argument: { name: 'goal', value: '' } })).toEqual({
      completion: { values: ['peace', 'quiet'], total: 2, hasMore: false },
    });
  });

  it('hands over what is already chosen', async () => {
    const id = vi.fn<Completer>(() => Promise.resolve([]));
    await completion({ complete: { id } })({
      ref: ofResource,
      argument: { name: 'id', value: 'a' },
      context: { arguments: { other: 'b' } },
    });

    expect(id).toHaveBeenCalledExactlyOnceWith('a', { other: 'b' }, expect.anything());
  });

  it.each([
    [100, 100, false],
    [101, 100, true],
  ])('sends of %d values %d', async (found, sent, hasMore) => {
    const id: Completer = () => Promise.resolve(Array.from({ length: found }, (_, index) => `${index}`));
    const result = await completion({ complete: { id } })({
      ref: ofResource,
      argument: { name: 'id', value: '' },
    });

    expect(result).toEqual({
      completion: { values: expect.objectContaining({ length: sent }), total: found, hasMore },
    });
  });

  it('cuts to 100 values before it looks at the size', async () => {
    const id: Completer = () => Promise.resolve(Array.from({ length: 50_000 }, (_, at) => `service-${at}`));
    const result = await completion({ complete: { id } })({
      ref: ofResource,
      argument: { name: 'id', value: '' },
    });

    expect(result).toMatchObject({ completion: { total: 50_000, hasMore: true } });
  });

  it.each(['unknown', '__proto__', 'constructor', 'toString'])(
    'has no suggestion for the argument "%s"',
    async (name) => {
      expect(await completion()({ ref: ofResource, argument: { name, value: '' } })).toEqual({
        completion: { values: [], total: 0, hasMore: false },
      });
    },
  );

  it.each([
    ['no reference', { argument: { name: 'id', value: '' } }],
    [
      'another kind of reference',
      { ref: { type: 'ref/tool', name: 'x' }, argument: { name: 'id', value: '' } },
    ],
    ['a value that is no text', { ref: ofResource, argument: { name: 'id', value: 7 } }],
    ['a name that is no text', { ref: ofResource, argument: { name: null, value: '' } }],
    [
      'a chosen value that is no text',
      { ref: ofResource, argument: { name: 'id', value: '' }, context: { arguments: { other: 7 } } },
    ],
  ])('rejects %s', async (_what, params) => {
    await expect(completion()(params)).rejects.toMatchObject({
      code: -32602,
      message: 'Invalid completion request.',
    });
  });

  it('gives a hidden reference the same answer as an unknown one', async () => {
    const argument = { name: 'id', value: '' };
    const stranger = { caller: aCaller({ permissions: [] }) };

    await expect(completion()({ ref: ofResource, argument }, stranger)).rejects.toMatchObject({
      code: -32602,
      message: 'Unknown reference: thing://{id}',
    });
    await expect(
      completion()({ ref: { type: 'ref/resource', uri: 'x://' }, argument }),
    ).rejects.toMatchObject({ code: -32602, message: 'Unknown reference: x://' });
  });

  it('asks for a permission that the caller holds while the input is not known', async () => {
    const decide = vi.fn<NonNullable<PipelineOptions['authorizer']>['decide']>(() => ({
      allowed: true,
      rule: 'test',
    }));
    const permission = { anyOf: ['things:admin', 'things:read'], select: () => 'things:admin' };
    const argument = { name: 'id', value: '' };
    await completion({ permission }, { authorizer: { decide } })({ ref: ofResource, argument });

    expect(decide).toHaveBeenCalledExactlyOnceWith(aCaller(), 'things:read', expect.anything());
  });

  it('leaves no trace in the audit trail, but is measured', async () => {
    const ports = recordingPorts();
    await completion({}, ports)({ ref: ofResource, argument: { name: 'id', value: '' } });

    expect(ports.intents).toEqual([]);
    expect(ports.measurements).toMatchObject([{ method: 'completion/complete', target: 'thing' }]);
  });
});
