import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aCaller, aPrompt, aRequest, aResource, echoTool } from '../../test/fixtures.ts';
import type { JsonObject } from '../json.ts';
import { createMethodTable } from '../protocol/method-table.ts';
import { createCatalog, type ListChange } from './catalog.ts';

const names = (...tools: string[]) => tools.map((name) => echoTool({ name }));

async function list(table: ReturnType<typeof createMethodTable>, params = {}) {
  const result = await table.methods.get('tools/list')?.(params, aRequest());
  return z
    .object({ tools: z.array(z.object({ name: z.string() })), nextCursor: z.string().optional() })
    .parse(result);
}

describe('a catalog that changes', () => {
  it('is listed as it is, in the order in which its definitions came', async () => {
    const catalog = createCatalog({ tools: names('a', 'b', 'c') });
    const table = createMethodTable(catalog);
    const listed = async () => (await list(table)).tools.map(({ name }) => name);
    expect(await listed()).toEqual(['a', 'b', 'c']);
    catalog.change({ disable: { tools: ['b'] }, add: { tools: names('d') } });
    expect(await listed()).toEqual(['a', 'c', 'd']);
    catalog.change({ enable: { tools: ['b'] }, remove: { tools: ['a'] } });
    expect(await listed()).toEqual(['b', 'c', 'd']);
  });

  it('changes as a whole or not at all', () => {
    const catalog = createCatalog({ tools: names('a'), resources: [aResource()], prompts: [aPrompt()] });
    const heard: unknown[] = [];
    catalog.onChange((changed) => heard.push(changed));
    const before = [...catalog.tools.values()];
    for (const change of [
      { add: { tools: names('b') }, remove: { prompts: ['nobody'] } },
      { add: { tools: names('b', 'b') } },
      { remove: { tools: ['a'] }, disable: { tools: ['a'] } },
      { remove: { tools: ['a'] }, add: { resources: [aResource({ name: 'other' })] } },
      { remove: { tools: ['a'] }, add: { tools: [echoTool({ name: 'b', description: '' })] } },
    ]) {
      expect(() => catalog.change(change)).toThrow(TypeError);
    }
    expect([...catalog.tools.values()]).toEqual(before);
    expect(heard).toEqual([]);
  });

  it('must have offered a list from the start', () => {
    const catalog = createCatalog({ tools: [] });
    expect(createMethodTable(catalog).capabilities).toHaveProperty('tools');
    expect(() => catalog.change({ add: { prompts: [aPrompt()] } })).toThrow('prompts must be offered');
  });

  it('says which lists look different, and who may see what of it', () => {
    const catalog = createCatalog({ tools: names('a'), resources: [aResource()], prompts: [] });
    const heard: (readonly ListChange[])[] = [];
    catalog.onChange((changed) => heard.push(changed));
    const secret = echoTool({ name: 'b', permission: { anyOf: ['x', 'y'], select: () => 'x' } });
    catalog.change({ add: { tools: [secret] }, disable: { resources: ['thing'] } });
    catalog.change({ enable: { tools: ['a'] } });
    catalog.change({ add: { tools: [echoTool({ name: 'a', permission: 'z' })] }, remove: { tools: ['a'] } });
    expect(heard).toEqual([
      [
        { list: 'tools', permissions: ['x', 'y'] },
        { list: 'resources', permissions: ['things:read'] },
      ],
      [],
      [{ list: 'tools', permissions: ['things:read', 'z'] }],
    ]);
  });

  it('compiles only what is added', () => {
    const catalog = createCatalog({ tools: names('a') });
    const compiled = catalog.tools.get('a');
    catalog.change({ add: { tools: names('b') }, disable: { tools: ['a'] } });
    catalog.change({ enable: { tools: ['a'] } });
    expect(catalog.tools.get('a')).toBe(compiled);
  });

  it('leaves a call that runs its definition', async () => {
    const started = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const slow = echoTool({
      async handle() {
        started.resolve();
        await goOn.promise;
        return { text: 'the old one' };
      },
    });
    const catalog = createCatalog({ tools: [slow] });
    const call = createMethodTable(catalog).methods.get('tools/call');
    const answer = call?.({ name: 'echo', arguments: { text: 'x' } }, aRequest());
    await started.promise;
    catalog.change({ remove: { tools: ['echo'] } });
    goOn.resolve();
    await expect(answer).resolves.toMatchObject({ structuredContent: { text: 'the old one' } });
    await expect(call?.({ name: 'echo', arguments: { text: 'x' } }, aRequest())).rejects.toThrow(
      'Unknown tool',
    );
  });

  it('goes on with the next page where the last one ended, or says that it cannot', async () => {
    const catalog = createCatalog({ tools: names('a', 'b', 'c') });
    const table = createMethodTable(catalog, { pageSize: 1 });
    const first = await list(table);
    catalog.change({ remove: { tools: ['b'] } });
    expect((await list(table, { cursor: first.nextCursor })).tools).toMatchObject([{ name: 'c' }]);
    catalog.change({ remove: { tools: ['a'] } });
    await expect(list(table, { cursor: first.nextCursor })).rejects.toMatchObject({ code: -32602 });
  });

  it('offers of what is selected, also when it comes later', () => {
    const write = echoTool({ name: 'w', annotations: { ...echoTool().annotations, readOnly: false } });
    const definitions = {
      tools: [write, echoTool({ name: 'r', toolset: 'one' }), echoTool({ name: 's', toolset: 'two' })],
      prompts: [aPrompt({ toolset: 'two' })],
    };
    const offered = (selection: Parameters<typeof createCatalog>[1]) => {
      const catalog = createCatalog(definitions, selection);
      catalog.change({ add: { tools: [{ ...write, name: 'late' }] } });
      return [...catalog.tools.keys(), ...catalog.prompts.keys()];
    };
    expect(offered({})).toEqual(['w', 'r', 's', 'late', 'plan']);
    expect(offered({ readOnly: true })).toEqual(['r', 's', 'plan']);
    expect(offered({ toolsets: ['one'] })).toEqual(['w', 'r', 'late']);
    expect(offered({ readOnly: true, toolsets: ['two'] })).toEqual(['s', 'plan']);
    expect(() => offered({ toolsets: ['three'] })).toThrow('toolsets must be of one, two, got three');
  });

  it('completes for the prompts and resources that there are now', async () => {
    const catalog = createCatalog({ prompts: [aPrompt()], resources: [] });
    const complete = createMethodTable(catalog).methods.get('completion/complete');
    const ask = (ref: JsonObject) =>
      complete?.({ ref, argument: { name: 'id', value: '' } }, aRequest({ caller: aCaller() }));
    const ref = { type: 'ref/resource', uri: 'thing://{id}' };
    await expect(ask(ref)).rejects.toThrow('Unknown');
    catalog.change({ add: { resources: [aResource()] } });
    await expect(ask(ref)).resolves.toMatchObject({ completion: { values: ['1', '2'] } });
  });
});
