import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import {
  aCaller,
  aPrompt,
  aRequest,
  aResource,
  callerLimit,
  echoTool,
  recordingPorts,
} from '../../test/fixtures.ts';
import type { RequestContext } from '../call/operation.ts';
import type { PipelineOptions } from '../call/pipeline-options.ts';
import { createCatalog, type CatalogDefinitions } from '../catalog/catalog.ts';
import type { ResourceDefinition } from '../definition/define-resource.ts';
import { encodedJson } from '../encoded-json.ts';
import { PublicError, RpcError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Authorizer, RateLimiter } from '../ports.ts';
import { createMethodTable } from './method-table.ts';

const everything: CatalogDefinitions = {
  tools: [echoTool()],
  resources: [aResource()],
  prompts: [aPrompt()],
};

function ask(definitions: CatalogDefinitions, options: PipelineOptions = {}) {
  const { methods } = createMethodTable(createCatalog(definitions), options);
  return async (method: string, params: JsonObject = {}, request: Partial<RequestContext> = {}) => {
    const handler = methods.get(method);
    if (handler === undefined) {
      throw new Error(`no method ${method}`);
    }
    return handler(params, aRequest(request));
  };
}

const stranger = { caller: aCaller({ id: 'issuer#eve', permissions: [] }) };

describe('createMethodTable', () => {
  it('offers what the catalog has', () => {
    const { capabilities, methods } = createMethodTable(createCatalog(everything));

    expect(capabilities).toEqual({
      tools: {},
      resources: {},
      prompts: {},
      completions: {},
      logging: {},
    });
    expect([...methods.keys()].toSorted()).toEqual([
      'completion/complete',
      'prompts/get',
      'prompts/list',
      'resources/list',
      'resources/read',
      'resources/templates/list',
      'tools/call',
      'tools/list',
    ]);
  });

  it.each([
    [{ tools: [echoTool()] }, ['tools', 'logging']],
    [{ resources: [aResource()] }, ['resources', 'completions', 'logging']],
    [{ prompts: [aPrompt()] }, ['prompts', 'completions', 'logging']],
    [{}, []],
  ])('claims no capability that it does not have', (definitions, capabilities) => {
    expect(Object.keys(createMethodTable(createCatalog(definitions)).capabilities)).toEqual(capabilities);
  });

  it('needs a task runner for long-running tools', () => {
    const tools = [echoTool({ longRunning: {} })];

    expect(() => createMethodTable(createCatalog({ tools }))).toThrow(TypeError);
  });

  it.each([
    { deadlineMs: 0 },
    { deadlineMs: 2 ** 31 },
    { maxOutputBytes: 0 },
    { maxOutputBytes: Number.NaN },
  ])('rejects %o', (options) => {
    expect(() => createMethodTable(createCatalog({}), options)).toThrow(RangeError);
  });
});

describe('lists', () => {
  it.each([
    ['tools/list', 'tools'],
    ['prompts/list', 'prompts'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
  ])('%s holds only what the caller may see', async (method, member) => {
    const send = ask(everything);

    expect((await send(method))[member]).not.toEqual([]);
    expect(await send(method, {}, stranger)).toEqual({ [member]: [] });
  });

  it('resources/list joins the resources of every definition', async () => {
    const policy = aResource({
      name: 'policy',
      uriTemplate: 'policy://all',
      parameters: z.object({}),
      complete: {},
      list: () => Promise.resolve([{ uri: 'policy://all', name: 'policy', title: undefined }]),
    });

    expect(await ask({ resources: [aResource(), policy] })('resources/list')).toEqual({
      resources: [
        { uri: 'thing://1', name: 'thing 1', mimeType: 'application/json' },
        { uri: 'thing://2', name: 'thing 2', mimeType: 'application/json' },
        { uri: 'policy://all', name: 'policy', mimeType: 'application/json' },
      ],
    });
  });

  it('resources/templates/list leaves out a resource without variables', async () => {
    const policy = aResource({ uriTemplate: 'policy://all', parameters: z.object({}), complete: {} });

    expect(await ask({ resources: [policy] })('resources/templates/list')).toEqual({ resourceTemplates: [] });
  });
});

describe('lists in pages', () => {
  const tools = Array.from({ length: 5 }, (_, index) => echoTool({ name: `tool_${index}` }));
  const family = (name: string, count: number, overrides: Partial<ResourceDefinition> = {}) =>
    aResource({
      name,
      uriTemplate: `${name}://{id}`,
      list: () =>
        Promise.resolve(
          Array.from({ length: count }, (_, index) => ({ uri: `${name}://${index}`, name: `${index}` })),
        ),
      ...overrides,
    });

  /** Follows the cursors to the end. */
  async function pagesOf(
    send: ReturnType<typeof ask>,
    method: string,
    member: string,
    key: string,
  ): Promise<readonly (readonly unknown[])[]> {
    const pages: unknown[][] = [];
    let cursor: JsonObject[string];
    do {
      const result = await send(method, cursor === undefined ? {} : { cursor });
      pages.push((result[member] as JsonObject[]).map((entry) => entry[key]));
      cursor = result['nextCursor'];
    } while (cursor !== undefined && pages.length < 100);
    return pages;
  }

  it('gives every entry once, for any size of page', async () => {
    for (const pageSize of [1, 2, 3, 5, 6]) {
      const send = ask({ tools }, { pageSize });
      const pages = await pagesOf(send, 'tools/list', 'tools', 'name');

      expect(pages.flat()).toEqual(tools.map(({ name }) => name));
      expect(pages).toHaveLength(Math.ceil(tools.length / pageSize));
    }
  });

  it('never skips or repeats a resource, however many families and sizes there are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(7), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 700 }),
        async (counts, pageSize, maxOutputBytes) => {
          const resources = counts.map((count, index) => family(`f${index}`, count));
          const send = ask({ resources }, { pageSize, maxOutputBytes });
          const pages = await pagesOf(send, 'resources/list', 'resources', 'uri');

          expect(pages.flat()).toEqual(
            counts.flatMap((count, index) => Array.from({ length: count }, (_, at) => `f${index}://${at}`)),
          );
          expect(pages.every((page) => page.length <= pageSize)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('lets a client reach all of a list that does not fit into one answer', async () => {
    const send = ask({ resources: [family('many', 900)] }, { maxOutputBytes: 4_096 });
    const first = await send('resources/list');

    expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThanOrEqual(4_500);
    expect((await pagesOf(send, 'resources/list', 'resources', 'uri')).flat()).toHaveLength(900);
  });

  it('asks a family that pages for its pages', async () => {
    const asked: (string | undefined)[] = [];
    const paged = family('paged', 0, {
      list: (_context, cursor) => {
        asked.push(cursor);
        const page = cursor === undefined ? 1 : Number(cursor);
        return Promise.resolve({
          resources: [1, 2].map((at) => ({ uri: `paged://${page}${at}`, name: 'x' })),
          nextCursor: page < 3 ? String(page + 1) : undefined,
        });
      },
    });
    const send = ask({ resources: [paged, family('last', 1)] }, { pageSize: 10 });

    expect(await pagesOf(send, 'resources/list', 'resources', 'uri')).toEqual([
      ['paged://11', 'paged://12'],
      ['paged://21', 'paged://22'],
      ['paged://31', 'paged://32', 'last://0'],
    ]);
    expect(asked).toEqual([undefined, '2', '3']);
  });

  it.each(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])(
    '%s refuses a cursor that it has not given, and records it once',
    async (method) => {
      const foreign = Buffer.from('["nobody"]').toString('base64url');
      const gone = Buffer.from('["thing",null,"thing://9"]').toString('base64url');
      for (const cursor of ['nonsense', '', 7, null, [], 'x'.repeat(20_000), foreign, gone]) {
        const ports = recordingPorts();
        await expect(ask(everything, ports)(method, { cursor })).rejects.toMatchObject({
          code: -32602,
          message: expect.stringContaining('Invalid cursor'),
        });
        expect(ports.outcomes).toMatchObject([{ result: 'failure', reason: 'invalid_cursor' }]);
        expect(ports.measurements).toMatchObject([{ method, target: '_other', reason: 'invalid_cursor' }]);
      }
    },
  );

  it('shows nothing of another caller by that caller’s cursor', async () => {
    const secret = echoTool({ name: 'tool_secret', permission: 'things:admin' });
    const send = ask({ tools: [secret, ...tools] }, { pageSize: 1 });
    const admin = { caller: aCaller({ permissions: ['things:admin', 'things:read'] }) };
    const { nextCursor } = await send('tools/list', {}, admin);

    await expect(send('tools/list', { cursor: nextCursor ?? '' })).rejects.toMatchObject({ code: -32602 });
  });

  it('lists the other families when one fails, and says which is missing', async () => {
    const ports = recordingPorts();
    const failing = family('bad', 1, { list: () => Promise.reject(new Error('hunter2')) });
    const denied = family('denied', 1, { permission: 'things:denied' });
    const authorizer: Authorizer = {
      decide: (_caller, permission) =>
        permission === 'things:denied'
          ? { allowed: false, reason: 'missing_group' }
          : { allowed: true, rule: 'test' },
    };
    const send = ask({ resources: [failing, denied, family('good', 2)] }, { ...ports, authorizer });
    const caller = aCaller({ permissions: ['things:read', 'things:denied'] });
    const result = await send('resources/list', {}, { caller });

    expect(result).toMatchObject({
      resources: [{ uri: 'good://0' }, { uri: 'good://1' }],
      _meta: { 'mcp-parts/unavailable': ['bad'] },
    });
    expect(JSON.stringify(result)).not.toContain('hunter2');
    expect(ports.measurements).toMatchObject([
      { target: 'denied', result: 'denied' },
      { target: 'bad', result: 'failure' },
      { target: '_other', result: 'success' },
    ]);
  });

  it('fails when every family does', async () => {
    const failing = family('bad', 1, { list: () => Promise.reject(new PublicError('down', 'It is down.')) });

    await expect(ask({ resources: [failing] })('resources/list')).rejects.toMatchObject({
      message: 'It is down.',
    });
  });

  it('is one request to the rate limiter, however many families there are', async () => {
    const consume = vi.fn<RateLimiter['consume']>(() => ({ allowed: true }));
    const send = ask({ resources: [family('a', 1), family('b', 1), family('c', 1)] }, callerLimit(consume));
    await send('resources/list');

    expect(consume).toHaveBeenCalledOnce();
  });
});

describe('every method', () => {
  const requests: readonly (readonly [string, JsonObject])[] = [
    ['tools/list', {}],
    ['tools/call', { name: 'echo', arguments: { text: 'hi' } }],
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['resources/read', { uri: 'thing://1' }],
    ['prompts/list', {}],
    ['prompts/get', { name: 'plan', arguments: { goal: 'x' } }],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'plan' }, argument: { name: 'goal', value: '' } },
    ],
  ];

  it.each(requests)('%s is measured once and asks the limit once', async (method, params) => {
    const ports = recordingPorts();
    const consume = vi.fn<RateLimiter['consume']>(() => ({ allowed: true }));
    await ask(everything, { ...ports, ...callerLimit(consume) })(method, params);

    expect(ports.measurements).toMatchObject([{ method, result: 'success' }]);
    expect(consume).toHaveBeenCalledOnce();
  });

  it.each(requests)('%s gives its result with the text to send', async (method, params) => {
    const result = await ask(everything)(method, params);

    expect(encodedJson(result)).toEqual({
      text: JSON.stringify(result),
      bytes: Buffer.byteLength(JSON.stringify(result)),
    });
    expect(encodedJson({ ...result, more: 1 })).toBeUndefined();
  });

  it('encodes a list once for all callers with the same permissions', async () => {
    const send = ask(everything);
    const [one, same, other] = [
      await send('tools/list'),
      await send(
        'tools/list',
        {},
        { caller: aCaller({ id: 'issuer#bob', permissions: ['x', 'things:read'] }) },
      ),
      await send('tools/list', {}, stranger),
    ];

    expect(one).toBe(same);
    expect(Object.isFrozen(one)).toBe(true);
    expect(other).toEqual({ tools: [] });
  });

  const malformed: readonly (readonly [string, JsonObject, string])[] = [
    ['tools/call', {}, ''],
    ['tools/call', { name: 5, arguments: {} }, ''],
    ['tools/call', { name: null }, ''],
    ['tools/call', { name: ['echo'] }, ''],
    ['tools/call', { name: {} }, ''],
    ['prompts/get', { name: 5 }, ''],
    ['resources/read', { uri: 5 }, ''],
    ['resources/read', {}, ''],
    ['completion/complete', {}, ''],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'plan' }, argument: 'goal' }, 'plan'],
  ];

  it.each(malformed)(
    '%s refuses %j in our words: one record, one measurement',
    async (method, params, target) => {
      const ports = recordingPorts();
      const error = await asWire(ask(everything, ports)(method, params));

      expect(error).toMatchObject({ code: -32602, data: { reason: 'malformed_request' } });
      expect(error.message).not.toMatch(/invalid_type|ZodError|\n/u);
      expect(ports.intents).toMatchObject([{ action: method, target }]);
      expect(ports.outcomes).toMatchObject([{ result: 'failure', reason: 'malformed_request' }]);
      expect(ports.measurements).toMatchObject([{ method, target: '_other', reason: 'malformed_request' }]);
    },
  );

  describe.each([null, [], ['text'], 'text', 5, true])('arguments: %j', (sent) => {
    it.each([
      [
        'tools/call',
        'echo',
        { isError: true, content: [{ text: expect.stringMatching(/^Invalid arguments for echo\./u) }] },
      ],
      [
        'prompts/get',
        'plan',
        { code: -32602, message: expect.stringMatching(/^Invalid arguments for plan\./u) },
      ],
    ] as const)('are explained by %s: one record, one measurement', async (method, name, expected) => {
      const ports = recordingPorts();
      const params = { name, arguments: sent };
      const answer = await ask(everything, ports)(method, params).catch((error: unknown) => error);

      expect(answer).toMatchObject(expected);
      expect(ports.outcomes).toMatchObject([{ result: 'failure', reason: 'invalid_input' }]);
      expect(ports.measurements).toHaveLength(1);
    });
  });
});

describe('prepare', () => {
  it('answers as the method does', async () => {
    const table = createMethodTable(createCatalog(everything));
    const params = { name: 'echo', arguments: { text: 'hi' } };
    const prepared = table.prepare?.('tools/call', params, aRequest());

    expect(await prepared?.denial()).toBeUndefined();
    expect(await prepared?.run(aRequest())).toEqual(
      await table.methods.get('tools/call')?.(params, aRequest()),
    );
  });

  it('runs for nobody but who asked', async () => {
    const table = createMethodTable(createCatalog(everything));
    const prepared = table.prepare?.('tools/call', { name: 'echo', arguments: { text: 'hi' } }, aRequest());

    await expect(prepared?.run(aRequest(stranger))).rejects.toMatchObject({ code: -32603 });
  });

  it('knows no method that is not in the table', () => {
    expect(createMethodTable(createCatalog({})).prepare?.('tools/call', {}, aRequest())).toBeUndefined();
  });
});

describe('tools/call', () => {
  it('answers with structured content and its text', async () => {
    expect(await ask(everything)('tools/call', { name: 'echo', arguments: { text: 'hi' } })).toEqual({
      content: [{ type: 'text', text: 'It says hi.' }],
      structuredContent: { text: 'hi' },
    });
  });

  it('says the next step in both forms, as clients hand a model one of the two', async () => {
    const output = z.object({ text: z.string(), nextStep: z.string().optional() });
    const steps = { said: 'Ask the person.', new: 'Call echo again.' };
    const tool = (name: string, nextStep: string | undefined) =>
      echoTool({
        name,
        output,
        handle: () => Promise.resolve({ text: 'hi', nextStep }),
        text: () => `Hi. ${steps.said}`,
      });
    const send = ask({ tools: [tool('said', steps.said), tool('new', steps.new), tool('none', undefined)] });
    const answerOf = async (name: string) =>
      JSON.stringify(await send('tools/call', { name, arguments: { text: 'hi' } }));

    expect(await answerOf('said')).toContain(
      `"text":"Hi. ${steps.said}"}],"structuredContent":{"text":"hi","nextStep":"${steps.said}"`,
    );
    expect(await answerOf('new')).toContain(`Hi. ${steps.said}\\nNext: ${steps.new}"`);
    expect(await answerOf('none')).toContain(
      `"text":"Hi. ${steps.said}"}],"structuredContent":{"text":"hi"}`,
    );
  });

  it('takes null for an optional argument that was left out, at any depth', async () => {
    const input = z.strictObject({
      text: z.string(),
      search: z.string().min(1).optional(),
      page: z.object({ size: z.int().optional() }).optional(),
      nothing: z.null(),
    });
    const handle = (found: object) => Promise.resolve({ text: JSON.stringify(found) });
    const send = ask({ tools: [echoTool({ input, handle })] });
    const sent = { text: 'x', search: null, page: { size: null }, nothing: null };

    expect(await send('tools/call', { name: 'echo', arguments: sent })).toMatchObject({
      structuredContent: { text: '{"text":"x","page":{},"nothing":null}' },
    });
    expect(
      await send('tools/call', { name: 'echo', arguments: { text: null, nothing: null } }),
    ).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('text: ') }],
    });
  });

  it('marks an output that reports a failure, and keeps its structure', async () => {
    const send = ask({ tools: [echoTool({ isFailure: () => true })] });

    expect(await send('tools/call', { name: 'echo', arguments: { text: 'hi' } })).toEqual({
      content: [{ type: 'text', text: 'It says hi.' }],
      structuredContent: { text: 'hi' },
      isError: true,
    });
  });

  it('gives a failure to the model as a result', async () => {
    const send = ask({
      tools: [echoTool({ handle: () => Promise.reject(new PublicError('down', 'It is down.')) })],
    });

    expect(await send('tools/call', { name: 'echo', arguments: { text: 'hi' } })).toEqual({
      content: [{ type: 'text', text: 'It is down.' }],
      isError: true,
      _meta: { 'mcp-parts/failure': { code: 'down' } },
    });
  });

  it.each([
    ['no arguments', undefined],
    ['text for arguments', 'nonsense'],
    ['a misspelt argument', { txt: 'hi' }],
  ])('explains %s to the model', async (_what, sent) => {
    const params: JsonObject = { name: 'echo', ...(sent === undefined ? {} : { arguments: sent }) };

    expect(await ask(everything)('tools/call', params)).toMatchObject({
      content: [{ text: expect.stringMatching(/^Invalid arguments for echo\./u) }],
      isError: true,
    });
  });

  it('sends only what the output schema names', async () => {
    const leaky = echoTool({ handle: () => Promise.resolve({ text: 'hi', password: 'hunter2' }) });

    expect(
      await ask({ tools: [leaky] })('tools/call', { name: 'echo', arguments: { text: 'hi' } }),
    ).toMatchObject({ structuredContent: { text: 'hi' } });
  });

  it('keeps an output that fails its schema from the model', async () => {
    const ports = recordingPorts();
    const send = ask({ tools: [echoTool({ handle: () => Promise.resolve({ text: 7 }) })] }, ports);
    const result = await send('tools/call', { name: 'echo', arguments: { text: 'hi' } });

    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('reference-1') }],
    });
    expect(result).not.toHaveProperty('structuredContent');
    expect(ports.outcomes).toMatchObject([{ result: 'failure', reason: 'output_invalid' }]);
    expect(ports.logged).toMatchObject([{ level: 'error', message: 'output of a call not valid' }]);
  });

  it('records the same tool that it measures', async () => {
    const ports = recordingPorts();
    await ask(everything, ports)('tools/call', { name: 'echo', arguments: { text: 'hi' } });

    expect(ports.intents).toMatchObject([{ action: 'tools/call', target: 'echo' }]);
    expect(ports.measurements).toMatchObject([{ method: 'tools/call', target: 'echo', result: 'success' }]);
  });

  it.each(['nope', '__proto__', 'constructor', ''])('rejects the unknown tool "%s"', async (name) => {
    await expect(ask(everything)('tools/call', { name })).rejects.toMatchObject({
      name: 'RpcError',
      code: -32602,
      message: `Unknown tool: ${name}`,
    });
  });

  it('does not run a tool that asks to be recorded when it cannot be', async () => {
    const audit = { begin: () => Promise.reject(new Error('disk full')) };
    const tools = [echoTool({ name: 'strict', onUnavailable: 'deny' }), echoTool()];
    const send = ask({ tools }, { audit });

    const call = (name: string) => send('tools/call', { name, arguments: { text: 'hello' } });
    expect(await call('strict')).toMatchObject({ isError: true });
    expect(await call('echo')).toMatchObject({ structuredContent: { text: 'hello' } });
  });

  it('rejects a hidden tool exactly as an unknown one', async () => {
    const hidden = ask(everything)('tools/call', { name: 'echo', arguments: {} }, stranger);
    const unknown = ask({ tools: [echoTool({ name: 'other' })] })('tools/call', { name: 'echo' }, stranger);

    expect(await asWire(hidden)).toEqual(await asWire(unknown));
  });

  it.each([undefined, 7, null, ['echo']])('rejects the name %j', async (name) => {
    const params: JsonObject = name === undefined ? {} : { name };

    await expect(ask(everything)('tools/call', params)).rejects.toMatchObject({
      code: -32602,
      message: '"name" must be a string.',
    });
  });
});

describe('resources/read', () => {
  it('answers with JSON', async () => {
    expect(await ask(everything)('resources/read', { uri: 'thing://1' })).toEqual({
      contents: [{ uri: 'thing://1', mimeType: 'application/json', text: '{"id":"1"}' }],
    });
  });

  it.each([
    ['2025', -32002],
    ['2026', -32602],
  ] as const)('says in the words of %s that there is no such resource', async (era, code) => {
    const send = ask(everything);
    for (const uri of ['thing://3', 'other://1', '']) {
      await expect(send('resources/read', { uri }, { era })).rejects.toMatchObject({
        code,
        message: `Resource not found: ${uri}`,
        data: { uri },
      });
    }
  });

  it('records a resource that does not exist as a failure', async () => {
    const ports = recordingPorts();
    await asWire(ask(everything, ports)('resources/read', { uri: 'thing://3' }));

    expect(ports.outcomes).toMatchObject([{ result: 'failure', reason: 'reported_failure' }]);
  });

  it('says of a hidden resource that there is none', async () => {
    const send = ask(everything);

    expect(await asWire(send('resources/read', { uri: 'thing://1' }, stranger))).toEqual({
      code: -32602,
      message: 'Resource not found: thing://1',
      data: { uri: 'thing://1' },
    });
  });

  it.each(['thing://..', 'thing://%2e%2e', 'thing://1%2F..%2F2'])('does not accept %s', async (uri) => {
    await expect(ask(everything)('resources/read', { uri })).rejects.toMatchObject({
      code: -32602,
      data: { reason: 'invalid_input' },
    });
  });

  it('does not accept a URI that is not a string', async () => {
    await expect(ask(everything)('resources/read', { uri: 7 })).rejects.toMatchObject({ code: -32602 });
  });

  it('keeps the cause of a failure to itself', async () => {
    const broken = aResource({ read: () => Promise.reject(new Error('hunter2')) });

    expect(await asWire(ask({ resources: [broken] })('resources/read', { uri: 'thing://1' }))).toEqual({
      code: -32603,
      message: expect.stringContaining('reference-1'),
      data: { reason: 'internal' },
    });
  });
});

describe('prompts/get', () => {
  it('answers with one message of the user', async () => {
    expect(await ask(everything)('prompts/get', { name: 'plan', arguments: { goal: 'peace' } })).toEqual({
      messages: [{ role: 'user', content: { type: 'text', text: 'Plan how to reach peace.' } }],
    });
  });

  it.each([
    ['an unknown prompt', { name: 'nope' }, 'Unknown prompt: nope'],
    ['a missing argument', { name: 'plan' }, 'Invalid arguments for plan. goal: '],
    ['a name that is no text', { name: 7 }, '"name" must be a string.'],
  ])('rejects %s', async (_what, params, message) => {
    await expect(ask(everything)('prompts/get', params)).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining(message),
    });
  });

  it('keeps the cause of a failure to itself', async () => {
    const broken = aPrompt({
      render: () => {
        throw new Error('hunter2');
      },
    });
    const { message } = await asWire(
      ask({ prompts: [broken] })('prompts/get', { name: 'plan', arguments: { goal: 'x' } }),
    );

    expect(message).not.toContain('hunter2');
  });
});

/** What the client is sent of a rejection. */
async function asWire(answer: Promise<unknown>) {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RpcError);
  const { code, message, data } = error as RpcError;
  return { code, message, data };
}
