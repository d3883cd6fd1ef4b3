import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createDefinitions } from '../src/definitions.ts';
import { serveOpenly, type OpenServer } from '../src/serve.ts';
import { silent } from './silent.ts';

// Scenarios of the suite that a server passes which asks nothing: here is what they mean for one that does.

let server: OpenServer;
beforeAll(async () => {
  server = await serveOpenly(createDefinitions, { port: 0, logger: silent });
});
afterAll(() => server[Symbol.asyncDispose]());

const answerSchema = z.object({
  result: z
    .looseObject({
      resultType: z.string(),
      requestState: z.string().optional(),
      inputRequests: z.record(z.string(), z.unknown()).optional(),
      content: z.array(z.looseObject({ text: z.string().optional() })).optional(),
    })
    .optional(),
  error: z.object({ code: z.number() }).optional(),
});

/** A call of the tool that asks for a name, as a client writes it. */
async function call(more: Readonly<Record<string, unknown>> = {}) {
  const name = 'test_input_required_result_elicitation';
  const response = await fetch(server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name,
        arguments: {},
        ...more,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
        },
      },
    }),
  });
  return answerSchema.parse(await response.json());
}

/** What the client must bring back. */
async function asked() {
  const { result } = await call();
  expect(result).toMatchObject({ resultType: 'input_required', inputRequests: { user_name: {} } });
  return { requestState: result?.requestState };
}

const named = { action: 'accept', content: { name: 'Ada' } };

describe('a question in 2026-07-28', () => {
  it('is answered once the answer is there, whatever comes beside it', async () => {
    const state = await asked();
    const inputResponses = { user_name: named, nobody_asked_for_this: named };
    expect((await call({ ...state, inputResponses })).result).toMatchObject({
      resultType: 'complete',
      content: [{ text: 'Hello, Ada!' }],
    });
  });

  it.each([
    ['is missing', {}],
    ['stands under another key', { another_key: named }],
    ['does not fit the form', { user_name: { action: 'accept', content: { name: 7 } } }],
  ])('is put again when the answer %s', async (_what, inputResponses) => {
    const { result } = await call({ ...(await asked()), inputResponses });
    expect(result).toMatchObject({ resultType: 'input_required', inputRequests: { user_name: {} } });
  });

  it('is no question any more for who has changed what was to be brought back', async () => {
    const { requestState } = await asked();
    const first = requestState?.[0] === 'A' ? 'B' : 'A';
    const changed = `${first}${requestState?.slice(1)}`;
    const { error } = await call({ requestState: changed, inputResponses: { user_name: named } });
    expect(error?.code).toBe(-32602);
  });

  it('is put to a client that answers before it was asked', async () => {
    const { result } = await call({ inputResponses: { user_name: named } });
    expect(result).toMatchObject({ resultType: 'input_required' });
  });
});
