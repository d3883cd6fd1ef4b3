import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aCaller, aPrompt, aRequest, aResource, echoTool, recordingPorts } from '../../test/fixtures.ts';
import type { RequestContext } from '../call/operation.ts';
import type { PipelineOptions } from '../call/pipeline-options.ts';
import { createCatalog, type CatalogDefinitions } from '../catalog/catalog.ts';
import { PublicError, RpcError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
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

    expect(capabilities).toEqual({ tools: {}, resources: {}, prompts: {}, completions: {} });
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
    [{ tools: [echoTool()] }, ['tools']],
    [{ resources: [aResource()] }, ['resources', 'completions']],
    [{ prompts: [aPrompt()] }, ['prompts', 'completions']],
    [{}, []],
  ])('claims no capability that it does not have', (definitions, capabilities) => {
    expect(Object.keys(createMethodTable(createCatalog(definitions)).capabilities)).toEqual(capabilities);
  });

  it('needs a task runner for tasks', () => {
    const tasks = [{ kind: 'work', onInterrupted: 'fail', run: () => Promise.resolve({}) }] as const;

    expect(() => createMethodTable(createCatalog({ tasks }))).toThrow(TypeError);
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

describe('tools/call', () => {
  it('answers with structured content and its text', async () => {
    expect(await ask(everything)('tools/call', { name: 'echo', arguments: { text: 'hi' } })).toEqual({
      content: [{ type: 'text', text: 'It says hi.' }],
      structuredContent: { text: 'hi' },
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
    expect(ports.outcomes).toMatchObject([{ result: 'failure', reason: 'internal' }]);
    expect(ports.logged).toMatchObject([{ level: 'error', message: 'call failed unexpectedly' }]);
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
